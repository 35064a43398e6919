"""The templates that stand in for honcho's: the same files, with every value quoted for the place where it stands, and
with what a type's settings say. Filled in by `procdeck.cli.exporters.honcho_formats`.
"""

SYSTEMD = {
    "master.target": """\
# {{ app }}, written by procdeck export.
[Unit]
Description={{ app }}
Wants={{ master_wants }}

[Install]
WantedBy=multi-user.target
""",
    "process_master.target": """\
# {{ process_master_name }}, written by procdeck export.
[Unit]
Description={{ process_master_name }}
PartOf={{ app }}.target
Wants={{ process_master_wants }}
""",
    "process.service": """\
# {{ app }} {{ process.name }}, written by procdeck export.
[Unit]
Description={{ app }} {{ process.name }}
PartOf={{ process_master_name }}.target
After=network.target{% for name in process.type.after %} {{ app }}-{{ name }}.target{% endfor %}
# It is tried again however often it ends, as procdeck does.
StartLimitIntervalSec=0

[Service]
User={{ user }}
WorkingDirectory={{ process.type.folder | plain }}
{% for name, value in process.env.items() -%}
Environment={{ (name ~ "=" ~ value) | word }}
{% endfor -%}
ExecStart={{ shell | program }} -lc {{ process.cmd | command }}
Restart={{ process.type.restart | restart }}
RestartSec={{ process.type.restart_delay | seconds }}
KillSignal={{ process.type.stop_signal.name }}
TimeoutStopSec={{ process.type.stop_timeout | seconds }}
# The shell's children get the signal, too, and nothing is left of them.
KillMode=control-group
{% if process.type.memory_limit is not none -%}
MemoryMax={{ process.type.memory_limit }}
{% endif -%}
StandardInput=null
StandardOutput=journal
StandardError=journal
SyslogIdentifier=%N

[Install]
WantedBy=multi-user.target
""",
}

SUPERVISORD = {
    "supervisord.conf": """\
; {{ app }}, written by procdeck export.
{% for process in processes -%}
[program:{{ process.name | dashrepl }}]
command={{ shell | shell_path }} -c {{ process | command }}
directory={{ process.type.folder | plain }}
user={{ user }}
environment={{ process | environment }}
autostart=true
autorestart={{ process.type.restart | restart }}
startsecs=1
startretries=1000000
stopsignal={{ process.type.stop_signal.name.removeprefix("SIG") }}
stopwaitsecs={{ process.type.stop_timeout | seconds }}
stopasgroup=true
killasgroup=true
stdout_logfile={{ log | plain }}/{{ process.name | dashrepl }}.log
stderr_logfile={{ log | plain }}/{{ process.name | dashrepl }}.error.log

{% endfor -%}
[group:{{ app }}]
programs={% for process in processes %}{{ process.name | dashrepl }}{% if not loop.last %},{% endif %}{% endfor %}
""",
}

RUNIT = {
    "run": """\
#!{{ shell }}
# {{ app }} {{ process.name }}, written by procdeck export.
exec 2>&1
ENVDIR=$PWD/env
cd {{ process.type.folder | shell_word }} || exit 111
{% for line in process | exports -%}
{{ line }}
{% endfor -%}
exec chpst -P -u {{ user | shell_word }} -e "$ENVDIR" {{ shell | shell_word }} -c {{ process.cmd | shell_word }}
""",
    "log/run": """\
#!/bin/sh
set -e

LOG={{ log | shell_word }}/{{ process.name | dashrepl }}

if [ ! -d "$LOG" ]; then
    mkdir -p -m 2750 "$LOG"
    chown {{ user | shell_word }} "$LOG"
fi

exec chpst -u {{ user | shell_word }} svlogd "$LOG"
""",
    # chpst -P has made the service a group of its own: what its shell has started hears the signal, too.
    "control": """\
#!/bin/sh
kill -s {{ signal }} -- "-$(cat supervise/pid)"
""",
}

UPSTART = {
    "master.conf": """\
# {{ app }}, written by procdeck export.
start on (started network-interface
          or started network-manager
          or started networking)

stop on (stopping network-interface
         or stopping network-manager
         or stopping networking)
""",
    "process_master.conf": """\
# {{ group_name }}, written by procdeck export.
start on starting {{ app }}
stop on stopping {{ app }}
""",
    "process.conf": """\
# {{ app }} {{ process.name }}, written by procdeck export.
start on starting {{ group_name }}
stop on stopping {{ group_name }}
respawn
respawn limit unlimited
setuid {{ user }}
kill signal {{ process.type.stop_signal.name }}
kill timeout {{ process.type.stop_timeout | seconds }}

script
{% for line in process | exports -%}
{{ line }}
{% endfor -%}
cd {{ process.type.folder | shell_word }} || exit 111
exec {{ shell | shell_word }} -c {{ process.cmd | shell_word }}
end script
""",
}
