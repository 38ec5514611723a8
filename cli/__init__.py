"""The program `ocrfleet`: one file a command, and the supervisor behind `ocrfleet up`.

May import `shared`; of `worker.reading` only the model registry; never `api`, which it talks to over HTTP.
"""
