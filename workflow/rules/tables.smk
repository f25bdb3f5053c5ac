rule tables:
    """Turn the records into tables."""
    input:
        records=all_records,
        manifests=of_datasets("data/{dataset}.json"),
        ladders=of_datasets("ladder/{dataset}.csv"),
        gradients=of_datasets("measurements/{dataset}/gradients.csv"),
        costs=of_datasets("measurements/{dataset}/api_costs.csv"),
        determinism=of_datasets("measurements/{dataset}/determinism_costs.csv"),
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
