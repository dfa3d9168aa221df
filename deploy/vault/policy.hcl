# What the gateway's own role may read, and no more:
#   vault policy write parley deploy/vault/policy.hcl
path "secret/data/parley/*" {
  capabilities = ["read"]
}
