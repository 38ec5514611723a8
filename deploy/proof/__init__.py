"""What `deploy/prove` is made of. Standard library only: the host needs Python 3.11, docker and docker compose."""
