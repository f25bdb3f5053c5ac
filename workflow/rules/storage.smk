"""Where machines share no disk: what lies on the storage that `--default-storage-provider` names, and who made it."""

from twinbench.planning.notes import MARK, take_over
from twinbench.store.storage import Storage, announce, withdraw
from twinbench.training.provenance import COMMIT_VARIABLE, announce_commit

PROVIDER = workflow.storage_settings.default_storage_provider if workflow.storage_settings else None


def place_on_storage(path):
    """Where a folder of the configuration lies; `store` may be one on a disk, by an absolute path, or have a URL."""
    if not PROVIDER or os.path.isabs(path) or "://" in path:
        return path
    prefix = workflow.storage_settings.default_storage_prefix
    return f"{prefix.rstrip('/')}/{os.path.normpath(path)}"


if "://" in OUTPUT or PROVIDER and (os.path.isabs(OUTPUT) or os.path.normpath(OUTPUT).startswith("..")):
    refuse(
        f"`output` is {OUTPUT}: name a folder, results/mnist for example. On a storage it is one below the prefix "
        "(--default-storage-prefix)."
    )
if "://" in CONFIGURATION.store_folder and not PROVIDER:
    refuse(
        f"`store` is {CONFIGURATION.store_folder}, which only a storage's plugin reaches: start with "
        "`--profile workflow/profiles/s3` (docs/storage.md), or name a folder."
    )

PLACE = place_on_storage(OUTPUT)
STORE = place_on_storage(CONFIGURATION.store_folder)

if PROVIDER:
    # The scripts keep each run there as soon as it is finished.
    tagged = workflow.storage_provider_settings.get(PROVIDER)
    settings = tagged.get_settings(None) if tagged else None
    announce(PROVIDER, vars(settings) if settings else {})
    # Each process has its own: the jobs see no file of another.
    RESOLVED = ".snakemake/configuration.json"
    write_text(Path(RESOLVED), CONFIGURATION.model_dump_json(indent=2), setting="--directory")
    # The jobs get the sources without their history.
    announce_commit()

    envvars:
        COMMIT_VARIABLE,

else:
    withdraw()

# What is older than this mark was made under other notes; as an input it has that made again.
MARKS = [f"{OUTPUT}/{MARK}"] if PROVIDER else []

if workflow.is_main_process and PROVIDER:
    try:
        if take_over(Storage(PLACE), NOTES, {dataset.name: dataset_key(dataset) for dataset in CONFIGURATION.datasets}):
            print(
                f"twinbench: {PLACE} was made from elsewhere, or Snakemake's notes about it (in .snakemake) are lost: it "
                "is made again, with the finished runs from the store.",
                file=sys.stderr,
            )
    except TwinbenchError as mistake:
        refuse(mistake)
