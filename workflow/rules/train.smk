rule train:
    """Train every run of one job; a run that is in the store is not trained again."""
    input:
        npz=rules.data.output.npz,
        manifest=rules.data.output.manifest,
    output:
        records=f"{OUTPUT}/runs/{{dataset}}/{{job}}.parquet",
    log:
        f"{OUTPUT}/logs/train/{{dataset}}/{{job}}.log",
    conda:
        ENVIRONMENT
    threads: CONFIGURATION.training.threads
    resources:
        gpu=gpus_of_job,
        mem_mb=memory_of_job,
        runtime=minutes_of_job,
    params:
        **stage("train"),
        runs=keys_of_job,
        device=this_device,
        store=CONFIGURATION.store_folder,
    script:
        "../../scripts/train.py"
