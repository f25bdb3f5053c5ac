rule report:
    """Build the page, from tables and figures alone."""
    input:
        tables=tables_of("csv"),
        figures=rules.figures.output,
    output:
        page=f"{OUTPUT}/report.html",
    log:
        f"{OUTPUT}/logs/report.log",
    conda:
        ENVIRONMENT
    params:
        **stage("report"),
        style=CONFIGURATION.figures.model_dump(mode="json"),
    script:
        "../../scripts/build_report.py"
