"""twinbench: does the way in which a Keras model is written change its score?"""

from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/mistakes.smk"


configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/container.smk"
include: "workflow/rules/reported.smk"
include: "workflow/rules/advice.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/look.smk"
include: "workflow/rules/measurement.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


localrules:
    all,
    data,
    look,
    runs,
    tables,
    figures,
    draw,
    draw_one,
    report,


rule all:
    """Everything: data, runs, tables, figures and the report."""
    default_target: True
    input:
        rules.tables.output,
        rules.figures.input,
        rules.report.output,


onstart:
    check_folders()
    print(first_words(), file=sys.stderr)


onerror:
    print(f"twinbench: {advice_after(log)}")


onsuccess:
    print(last_words())
