rule figures:
    """Every figure of every dataset."""
    input:
        FIGURE_FILES,


rule draw:
    """Draw every figure of one dataset, from the tables alone."""
    input:
        tables=tables_of("csv"),
    output:
        figures=[
            reported_figure(entry, "{dataset}", ending)
            for entry in FIGURES
            for ending in CONFIGURATION.figures.formats
        ],
    params:
        **stage("figures"),
        style=CONFIGURATION.figures.model_dump(mode="json"),
    log:
        f"{OUTPUT}/logs/figures/{{dataset}}.log",
    conda:
        ENVIRONMENT
    script:
        "../../scripts/draw_figures.py"


use rule draw as draw_one with:
    output:
        figures=expand(
            f"{OUTPUT}/figures/{{{{figure}}}}-{{{{dataset}}}}.{{ending}}",
            ending=CONFIGURATION.figures.formats,
        ),
    log:
        f"{OUTPUT}/logs/figures/{{dataset}}.{{figure}}.log",


# A figure that is asked for by its file is drawn alone. All of a dataset are drawn in one process: importing what draws
# takes longer than drawing one.
if asked_for(FIGURE_FILES):

    ruleorder: draw_one > draw

else:

    ruleorder: draw > draw_one
