"""The library inside other systems: servers, and packages with values or documents of their own.

Most modules need a package, installed separately or by an extra:

`envelope.adapters.wsgi`          any WSGI app (`EnvelopeApp`, `EnvelopeMiddleware`)
`envelope.adapters.flask`         Flask (`install`); the extra ``flask``
`envelope.adapters.django`        Django (`EnvelopeMiddleware`, `enveloped`, `api_call`); the extra ``django``
`envelope.adapters.asgi`          a gateway, and the outermost wrapper (`EnvelopeApp`, `EnvelopeMiddleware`)
`envelope.adapters.fastapi`       FastAPI (`install`, `CurrentCall`, `CurrentCaller`); the extra ``fastapi``
`envelope.adapters.multipart`     multipart forms as PHP reads them (`MultipartReader`); the extra ``multipart``
`envelope.adapters.arrow`         columns of documents, also of pandas and polars (`convert_column`, `convert_frame`);
                                  the extra ``parquet``
`envelope.adapters.spark`         Apache Spark (`register`, `convert_frame`, a job); the extra ``spark``
`envelope.adapters.phpserialize`  objects of that package, both ways (`from_phpserialize`, `to_phpserialize`)
"""
