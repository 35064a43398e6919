"""Where a formation can go: systemd, supervisord, runit, upstart, Docker Compose, Kubernetes. `formation` says what is
exported, `quoting` and `yamltext` how words are written down in each place, the other modules make the files. Nothing
here reads or writes a file.
"""
