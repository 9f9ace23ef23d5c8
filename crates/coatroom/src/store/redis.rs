//! The Redis store: many machines, one Redis, Valkey or Cluster.
