"""The image that `--sdm apptainer` runs jobs in; without that there is none, and nothing that was made goes stale."""

METHODS = workflow.deployment_settings.deployment_method if workflow.deployment_settings else ()

if "apptainer" in [str(method) for method in METHODS]:
    IMAGE = os.environ.get("TWINBENCH_IMAGE") or str(Path(workflow.basedir) / "build" / "twinbench.sif")
    if workflow.is_main_process and "://" not in IMAGE and not Path(IMAGE).is_file():
        refuse(
            f"`--sdm apptainer` needs an image, and {IMAGE} is not there: make it (docs/containers.md), or name another "
            "with the variable TWINBENCH_IMAGE, a file or a URL such as docker://registry.example.org/twinbench:cpu."
        )

    container: IMAGE
