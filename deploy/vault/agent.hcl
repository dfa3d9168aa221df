# The Vault agent on a host: it logs in, writes each secret into a file of its own, and tells the gateway.
#   vault agent -config=deploy/vault/agent.hcl
# The gateway has SLACK_SIGNING_SECRET_FILE=/run/parley/secrets/slack_signing_secret and so on. It reads the files again by
# itself within about five seconds; the command makes it do so at once. Both values of a rotation go into one field: new,old.

auto_auth {
  method "approle" {
    config = {
      role_id_file_path                   = "/etc/parley/vault-role-id"
      secret_id_file_path                 = "/etc/parley/vault-secret-id"
      remove_secret_id_file_after_reading = false
    }
  }
}

# An empty answer must never become an empty secret: the old file stays, and the agent says why.
template_config {
  exit_on_retry_failure = true
}

template {
  contents             = "{{ with secret \"secret/data/parley/gateway\" }}{{ .Data.data.admin_token }}{{ end }}"
  destination          = "/run/parley/secrets/parley_admin_token"
  perms                = "0600"
  user                 = "parley"
  group                = "parley"
  error_on_missing_key = true
  exec {
    command = ["systemctl", "reload", "parley"]
  }
}

template {
  contents             = "{{ with secret \"secret/data/parley/slack\" }}{{ .Data.data.signing_secret }}{{ end }}"
  destination          = "/run/parley/secrets/slack_signing_secret"
  perms                = "0600"
  user                 = "parley"
  group                = "parley"
  error_on_missing_key = true
  exec {
    command = ["systemctl", "reload", "parley"]
  }
}
