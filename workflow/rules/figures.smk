rule figures:
    """Draw every figure, from the tables alone."""
    input:
        tables=tables_of("csv"),
    output:
        FIGURE_FILES,
    log:
        f"{OUTPUT}/logs/figures.log",
    conda:
        ENVIRONMENT
    params:
        **stage("figures"),
        style=CONFIGURATION.figures.model_dump(mode="json"),
    script:
        "../../scripts/draw_figures.py"
