//! Containers as Orco's instances, on Docker and Podman.
