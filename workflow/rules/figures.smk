rule figures:
    """Draw every figure, from the tables alone."""
    input:
        tables=tables_of("csv"),
    output:
        figures=FIGURE_FILES,
    params:
        **stage("figures"),
        style=CONFIGURATION.figures.model_dump(mode="json"),
    log:
        f"{OUTPUT}/logs/figures.log",
    conda:
        ENVIRONMENT
    script:
        "../../scripts/draw_figures.py"
