rule tables:
    """Turn the records into tables."""
    input:
        records=all_records,
        manifests=expand(rules.data.output.manifest, dataset=DATASETS),
        ladders=expand(rules.ladder.output.rungs, dataset=DATASETS),
        gradients=expand(rules.measure.output.gradients, dataset=DATASETS),
        costs=expand(rules.measure.output.costs, dataset=DATASETS),
        determinism=expand(rules.measure.output.determinism, dataset=DATASETS),
    output:
        **TABLE_FILES,
    params:
        **stage("tables"),
        plan=plan_digest,
        settings=settings_of_tables,
    log:
        f"{OUTPUT}/logs/tables.log",
    conda:
        ENVIRONMENT
    script:
        "../../scripts/make_tables.py"
