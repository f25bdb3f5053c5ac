rule data:
    """Download or read a dataset and write it as one verified file."""
    input:
        source=ancient(dataset_source),
    output:
        npz=f"{OUTPUT}/data/{{dataset}}.npz",
        manifest=f"{OUTPUT}/data/{{dataset}}.json",
    params:
        dataset=dataset_section,
        key=key_of_dataset,
    log:
        f"{OUTPUT}/logs/data/{{dataset}}.log",
    # Only a download may succeed the second time.
    retries: int(any(dataset.kind == "tfds" for dataset in CONFIGURATION.datasets))
    conda:
        ENVIRONMENT
    script:
        "../../scripts/prepare_data.py"
