"""What is known of programs that put themselves into the background or write PID files: facts, taken from their
manuals. What follows from them for a command is `core.advice`'s matter.
"""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Program:
    """What is known of a program."""

    background: tuple[str, ...] = ()
    """Flags with which it goes into the background."""
    pid: tuple[str, ...] = ()
    """Flags with which it writes a PID file."""
    words: tuple[str, ...] = ()
    """Subcommands with which it leaves a process in the background."""
    instead: str = ""
    """What to write in place of them."""
    unless: tuple[str, ...] = ()
    """Without one of these flags it goes into the background."""
    stay: str = ""
    """What keeps it in the foreground, for people."""
    asks: tuple[str, ...] = ()
    """Flags with which it only answers a question, and ends."""
    only: tuple[str, ...] = ()
    """The subcommands to which its flags belong; none: all."""
    config: tuple[str, ...] = ()
    """Flags that name its configuration file; empty: none does; an empty one: the first word."""
    config_stays: re.Pattern[str] | None = None
    """The configuration says that it stays in the foreground."""
    config_leaves: re.Pattern[str] | None = None
    """The configuration says that it goes."""
    on: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Flags that put it there only with one of these values."""


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^\s*{pattern}", re.MULTILINE | re.IGNORECASE)


_ASKS = ("-v", "-V", "-h", "-?", "--version", "--help")
_PIDFILE = ("--pidfile", "--pid-file")
_HTTPD = Program(
    unless=("FOREGROUND", "-DFOREGROUND", "-X"), stay="-DFOREGROUND", asks=(*_ASKS, "-t", "-l", "-L", "-S", "-M", "-k")
)
PROGRAMS = {
    "nginx": Program(
        unless=("daemon off",),
        stay="-g 'daemon off;'",
        asks=(*_ASKS, "-t", "-T", "-s"),
        config=("-c",),
        config_stays=_line(r"daemon\s+off"),
    ),
    "httpd": _HTTPD,
    "apache2": _HTTPD,
    "apachectl": _HTTPD,
    "apache2ctl": _HTTPD,
    "php-fpm": Program(
        ("-D", "--daemonize"),
        ("-g", "--pid"),
        unless=("-F", "--nodaemonize"),
        stay="-F",
        asks=(*_ASKS, "-t", "-i", "-m", "-tt"),
        config=("-y", "--fpm-config"),
        config_stays=_line(r"daemonize\s*=\s*no"),
    ),
    "supervisord": Program(
        pid=("-j", "--pidfile"),
        unless=("-n", "--nodaemon"),
        stay="-n",
        asks=_ASKS,
        config=("-c", "--configuration"),
        config_stays=_line(r"nodaemon\s*=\s*(true|yes|on|1)"),
    ),
    "sshd": Program(unless=("-D", "-d", "-i"), stay="-D", asks=(*_ASKS, "-t", "-T")),
    "cron": Program(unless=("-f", "-n"), stay="-f", asks=_ASKS),
    "crond": Program(unless=("-f", "-n", "-d"), stay="-f", asks=_ASKS),
    "dnsmasq": Program(
        pid=("-x", "--pid-file"),
        unless=("-k", "-d", "--keep-in-foreground", "--no-daemon"),
        stay="-k",
        asks=(*_ASKS, "-w", "--test"),
    ),
    "varnishd": Program(pid=("-P",), unless=("-F", "-d", "-C"), stay="-F", asks=_ASKS),
    "squid": Program(unless=("-N", "--foreground"), stay="-N", asks=(*_ASKS, "-k", "-z")),
    "rsyslogd": Program(pid=("-i",), unless=("-n",), stay="-n", asks=_ASKS),
    "redis-server": Program(
        pid=("--pidfile",), on={"--daemonize": ("yes",)}, config=("",), config_leaves=_line(r"daemonize\s+yes")
    ),
    "memcached": Program(("-d", "--daemon"), ("-P", "--pidfile")),
    "mosquitto": Program(("-d", "--daemon")),
    "mysqld": Program(("-D", "--daemonize"), _PIDFILE),
    "mariadbd": Program(("--daemonize",), _PIDFILE),
    "pg_ctl": Program(words=("start", "restart"), instead="run postgres itself"),
    "mongod": Program(("--fork",), ("--pidfilepath",)),
    "mongos": Program(("--fork",), ("--pidfilepath",)),
    "rabbitmq-server": Program(("-detached",)),
    "haproxy": Program(("-D",), ("-p",)),
    "elasticsearch": Program(("-d", "--daemonize"), ("-p", "--pidfile")),
    "opensearch": Program(("-d", "--daemonize"), ("-p", "--pidfile")),
    "kafka-server-start": Program(("-daemon",)),
    "zookeeper-server-start": Program(("-daemon",)),
    "zkServer": Program(words=("start", "restart"), instead="write start-foreground"),
    "catalina": Program(words=("start",), instead="write catalina.sh run"),
    "caddy": Program(words=("start",), instead="write caddy run"),
    "gunicorn": Program(("-D", "--daemon"), ("-p", "--pid")),
    "hypercorn": Program(pid=("-p", "--pid")),
    "uwsgi": Program(
        ("-d", "--daemonize", "--daemonize2"), ("--pidfile", "--pidfile2", "--safe-pidfile", "--safe-pidfile2")
    ),
    "twistd": Program(pid=("--pidfile",), unless=("-n", "--nodaemon"), stay="-n", asks=_ASKS),
    "celery": Program(("-D", "--detach"), ("--pidfile",), words=("multi",), instead="run celery worker"),
    "airflow": Program(("-D", "--daemon"), ("--pid",)),
    "rails": Program(("-d", "--daemon"), ("-P", "--pid"), only=("s", "server")),
    "rackup": Program(("-D", "--daemonize"), ("-P", "--pid")),
    "puma": Program(("-d", "--daemon"), _PIDFILE),
    "thin": Program(("-d", "--daemonize"), ("-P", "--pid")),
    "unicorn": Program(("-D", "--daemonize"), ("--pid",)),
    "unicorn_rails": Program(("-D", "--daemonize"), ("--pid",)),
    "passenger": Program(("-d", "--daemonize"), ("--pid-file",)),
    "sidekiq": Program(("-d", "--daemon"), ("-P", "--pidfile")),
    "delayed_job": Program(words=("start", "restart"), instead="write delayed_job run"),
    "clockworkd": Program(words=("start", "restart"), instead="run clockwork"),
    "god": Program(pid=("-P", "--pid"), unless=("-D", "--no-daemonize"), stay="-D", asks=_ASKS),
    "pm2": Program(
        words=("start", "restart", "reload", "resurrect"), unless=("--no-daemon",), instead="write pm2-runtime"
    ),
    "forever": Program(words=("start", "restart"), pid=("--pidFile",), instead="write forever without start"),
    "tmux": Program(("-d",), only=("new", "new-session")),
    "screen": Program(("-d", "-dm", "-dmS")),
    "start-stop-daemon": Program(("-b", "--background"), ("-p", "--pidfile", "-m", "--make-pidfile")),
    "systemctl": Program(words=("start", "restart", "reload-or-restart"), instead="run the program itself"),
    "service": Program(words=("start", "restart"), instead="run the program itself"),
}
LEAVERS = {
    "nohup": "keeps a program running when procdeck hangs it up",
    "setsid": "takes a program out of its session",
    "daemon": "puts a program into the background",
    "daemonize": "puts a program into the background",
    "disown": "lets the shell forget a program",
}
"""Programs that do nothing else."""
ANYWHERE = Program(("--daemonize", "--daemon", "--daemonise"), _PIDFILE)
"""Flags that mean the same to every program."""

DOCKER_SWITCHES = frozenset(
    {
        *("--rm", "--init", "--privileged", "--read-only", "--interactive", "--tty", "--detach", "--no-healthcheck"),
        *("--oom-kill-disable", "--publish-all", "--sig-proxy", "--disable-content-trust", "--quiet"),
    }
)
"""Long flags of `docker run` that take no value. Those that take one may have a `-d` behind them."""
DOCKER_VALUED = "epvwulmhac"
"""Its short ones that take one."""
