"""The gateway: takes documents in and answers, never reads a picture. Imports `shared`; no model, no pixels."""
