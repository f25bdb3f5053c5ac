rule ladder:
    """Hold every variant against its reference, rung by rung."""
    input:
        npz=rules.data.output.npz,
        manifest=rules.data.output.manifest,
        mark=MARKS,
    output:
        rungs=f"{OUTPUT}/ladder/{{dataset}}.csv",
    params:
        **stage("ladder"),
        variants=measured_variants,
        device=this_device,
        settings=settings_of_ladder,
    log:
        f"{OUTPUT}/logs/ladder/{{dataset}}.log",
    threads: CONFIGURATION.training.threads
    conda:
        ENVIRONMENT
    # The two longest jobs come first: started last, either would run alone at the end.
    priority: 1
    script:
        "../../scripts/climb_ladder.py"


rule measure:
    """Measure gradients by depth, what each API costs, and what determinism costs."""
    input:
        npz=rules.data.output.npz,
        manifest=rules.data.output.manifest,
        mark=MARKS,
    output:
        gradients=f"{OUTPUT}/measurements/{{dataset}}/gradients.csv",
        costs=f"{OUTPUT}/measurements/{{dataset}}/api_costs.csv",
        determinism=f"{OUTPUT}/measurements/{{dataset}}/determinism_costs.csv",
    params:
        **stage("measure"),
        variants=measured_variants,
        device=this_device,
        settings=settings_of_measurements,
    log:
        f"{OUTPUT}/logs/measure/{{dataset}}.log",
    threads: CONFIGURATION.training.threads
    conda:
        ENVIRONMENT
    priority: 1
    script:
        "../../scripts/measure.py"
