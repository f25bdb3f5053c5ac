rule report:
    """Build the page, from tables and figures alone."""
    input:
        tables=tables_of("csv"),
        figures=rules.figures.output,
    output:
        page=f"{OUTPUT}/report.html",
    params:
        **stage("report"),
        style=CONFIGURATION.figures.model_dump(mode="json"),
    log:
        f"{OUTPUT}/logs/report.log",
    conda:
        ENVIRONMENT
    script:
        "../../scripts/build_report.py"
