"""`envelope convert --lines`, `--csv`, `--parquet`: archives of any size, in constant memory, on several processors.

A *plan* (`lines`, `csv`, `parquet`) cuts its input into chunks of whole records and says how to convert a chunk;
`workers` does that in processes, and `run` puts the outcomes together in order. Chunks depend on the input alone, so
the output is the same for any number of processes, and wherever a stopped run was resumed.
"""
