"""Makes test/fixtures/goldens/parquet/: small files by pyarrow in each codec and page version, and their rows as JSON;
levels.bin is one whose repetition and definition levels the tests damage.

    pip install pyarrow==26.0.1
    python scripts/golden/parquet.py
"""

import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = pathlib.Path(__file__).parents[2] / "test/fixtures/goldens/parquet"
ROWS = 30


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "query": f"query {i} über größe",
            "docs": [f"document {i} {j}" for j in range(i % 4 + 1)],
            "scores": [j / 2 - i for j in range(i % 4 + 1)],
            "qid": i,
            "large": 2**60 + i,
            "title": None if i % 3 else f"title {i}",
            "half": i % 2 == 0,
            "origin": {"name": "a", "rank": i},
        }
        for i in range(ROWS)
    ]
    table = pa.Table.from_pylist(rows)
    for codec in ["none", "snappy", "zstd", "gzip", "brotli", "lz4"]:
        pq.write_table(table, FOLDER / f"{codec}.parquet", compression=codec, row_group_size=12, store_schema=False)
    pq.write_table(table, FOLDER / "pages-v2.parquet", compression="zstd", data_page_version="2.0", store_schema=False)
    levels = pa.table({"docs": [["d"] * (i % 5 + 1) for i in range(60)], "title": [None if i % 3 else "v" for i in range(60)]})
    pq.write_table(levels, FOLDER / "levels.bin", compression="none", write_statistics=False, store_schema=False)
    for row in rows:
        row["large"] = str(row["large"])
    (FOLDER / "expected.json").write_text(json.dumps(rows, ensure_ascii=False) + "\n")


main()
