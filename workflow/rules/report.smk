rule report:
    """Build the page, from tables and figures alone, and the answer on which Snakemake's report opens."""
    input:
        tables=tables_of("csv"),
        figures=FIGURE_FILES,
    output:
        page=reported_page(),
        answer=f"{OUTPUT}/answer.rst",
    params:
        **stage("report"),
        style=CONFIGURATION.figures.model_dump(mode="json"),
    log:
        f"{OUTPUT}/logs/report.log",
    conda:
        ENVIRONMENT
    script:
        "../../scripts/build_report.py"
