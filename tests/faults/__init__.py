"""Each row of the fault table, against a real fleet: real Valkey, real worker processes, really killed."""
