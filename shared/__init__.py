"""What gateway and workers agree on: settings, records, states, errors, the job store. Imports neither `api` nor `worker`."""
