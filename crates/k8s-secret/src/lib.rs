//! k8s-secret
