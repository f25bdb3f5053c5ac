"""The records of a job as one parquet file, which later stages read without TensorFlow and without the store."""

import dataclasses
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from twinbench.data.files import replacing
from twinbench.store.record import Cost, Epoch, Outcome, Record
from twinbench.table import columns_of

# Digits of a run's key that name it in tables.
RUN_DIGITS = 16

_TYPES = {"whole": pa.int64(), "number": pa.float64(), "text": pa.string()}


def _columns(record_part: type) -> list[pa.Field]:
    return [pa.field(column.name, _TYPES[column.kind]) for column in columns_of(record_part)]


SCHEMA = pa.schema(
    [
        pa.field("run", pa.string()),
        pa.field("plan_key", pa.string()),
        *_columns(Outcome),
        *_columns(Cost),
        pa.field("history", pa.list_(pa.struct(_columns(Epoch)))),
        pa.field("manifest", pa.string()),
        pa.field("predictions", pa.string()),
    ]
)


def write_records(path: Path, records: Sequence[Record]) -> None:
    """Write the records of a job, one row a run, atomically.

    Args:
        path: the file.
        records: under the names that the plan has for their runs.

    Raises:
        DataError: the file cannot be written.
    """
    rows = [
        {
            "run": record.key[:RUN_DIGITS],
            "plan_key": str(record.identity.get("plan_key", "")),
            **dataclasses.asdict(record.outcome),
            **dataclasses.asdict(record.cost),
            "history": [dataclasses.asdict(epoch) for epoch in record.history],
            "manifest": json.dumps(record.manifest, sort_keys=True),
            "predictions": record.predictions,
        }
        for record in records
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), buffer, compression="zstd")
    with replacing(path) as file:
        file.write(buffer.getvalue())
