checkpoint look:
    """Decide which comparisons are settled at a number of seeds: only the others train on."""
    input:
        records=records_of_look,
        manifest=rules.data.output.manifest,
    output:
        decision=f"{OUTPUT}/looks/{{dataset}}/{{look}}.json",
    params:
        **stage("look"),
        plan=plan_digest,
        settings=settings_of_looks,
    log:
        f"{OUTPUT}/logs/look/{{dataset}}/{{look}}.log",
    conda:
        ENVIRONMENT
    script:
        "../../scripts/look.py"


rule runs:
    """Every run that is wanted, and no measurement."""
    input:
        all_records,
