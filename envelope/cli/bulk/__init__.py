"""`envelope convert --lines`, `--csv`, `--parquet`: archives of any size, in constant memory, on several processors.

A *job* (`lines`, `csv`, `parquet`) cuts its input into chunks of whole records and says what becomes of a chunk;
`workers` does that in processes, `run` puts the outcomes together in order. Chunks are cut by the input alone, so the
output is the same however many processes made it, and wherever a run that was stopped went on.
"""
