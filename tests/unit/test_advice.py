"""What is said against commands that daemonise or write PID files, and that nothing is said against others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.advice import advise

BACKGROUND = [
    "nginx",
    "nginx -c conf/nginx.conf",
    "exec nginx -p .",
    "/usr/sbin/nginx -g 'worker_processes 2;'",
    "httpd",
    "apache2ctl -f site.conf",
    "php-fpm8.2",
    "php-fpm -D",
    "supervisord -c supervisord.conf",
    "redis-server --daemonize yes",
    "redis-server ./redis.conf --daemonize yes --port 6380",
    "memcached -d -p 11211",
    "mysqld --daemonize",
    "mongod --fork --logpath x",
    "pg_ctl -D data start",
    "rabbitmq-server -detached",
    "haproxy -f h.cfg -D",
    "elasticsearch -d",
    "bin/kafka-server-start.sh -daemon server.properties",
    "catalina.sh start",
    "gunicorn -D app:app",
    "gunicorn --daemon app:app",
    "python -m gunicorn app:app --daemon",
    "bundle exec rails s -d",
    "bin/rails server --daemon -p $PORT",
    "ruby bin/rails s -d",
    "bundle exec puma -d",
    "bundle exec thin start -d",
    "unicorn -D -c config/unicorn.rb",
    "bundle exec sidekiq -d -L log",
    "bin/delayed_job start",
    "celery multi start w1 -A proj",
    "celery -A proj worker --detach",
    "celery -A proj worker -D",
    "uwsgi --daemonize x.log",
    "twistd web --path .",
    "pm2 start app.js",
    "npx pm2 start app.js",
    "forever start app.js",
    "docker run -d redis",
    "docker run --rm --name r -dp 6379:6379 redis",
    "docker run -itd redis",
    "podman run --detach redis",
    "docker compose up -d",
    "docker-compose -f dev.yml up -d db",
    "docker start redis",
    "nohup ./server",
    "nohup ./server > log 2>&1 &",
    "setsid ./server",
    "./server &",
    "cd app && ./server &",
    "start-stop-daemon --start --background --exec ./server",
    "systemctl start postgresql",
    "service redis restart",
    "sudo service redis start",
    "/etc/init.d/nginx start",
    "tmux new-session -d ./server",
    "screen -dmS name ./server",
    "./server --daemonize",
    "./server --daemon",
    "sh -c 'gunicorn -D app:app'",
    'bash -lc "exec nginx"',
    "env A=b PORT=1 nginx",
    "FOO=bar nice -n 5 gunicorn -D app:app",
    "timeout 60 gunicorn -D app:app",
    "migrate && gunicorn -D app:app",
    "BACKGROUND=yes QUEUE=* rake resque:work",
    "if true; then nginx; fi",
]
PID_FILES = [
    "gunicorn --pid run.pid app:app",
    "gunicorn --pid=run.pid app:app",
    "gunicorn -p run.pid app:app",
    "bundle exec puma --pidfile tmp/puma.pid",
    "rails s -P tmp/server.pid",
    "celery -A proj beat --pidfile=beat.pid",
    "uwsgi --pidfile x.pid --ini a.ini",
    "./server --pidfile=x.pid",
    "./server --pid-file x.pid",
    "redis-server --pidfile r.pid",
    "PIDFILE=./r.pid rake resque:work",
]
FINE = [
    "nginx -g 'daemon off;'",
    'nginx -c nginx.conf -g "daemon  off; error_log stderr;"',
    "nginx -t",
    "nginx -s reload",
    "httpd -DFOREGROUND",
    "httpd -D FOREGROUND",
    "apachectl -D FOREGROUND",
    "php-fpm -F",
    "php-fpm --nodaemonize -y x.conf",
    "supervisord -n",
    "supervisord --nodaemon -c x.conf",
    "redis-server",
    "redis-server --daemonize no",
    "redis-server ./redis.conf --port 6380",
    "memcached -p 11211",
    "curl -d a=b http://localhost",
    "python -d app.py",
    "node -r dotenv/config -d server.js",
    "java -Dfoo=bar -D x -jar app.jar",
    "make -d all",
    "psql -d shop -c 'select 1'",
    "sqlite3 -D x",
    "gcc -D FOO x.c",
    "php -d memory_limit=1G artisan queue:work",
    "php -S localhost:$PORT -d display_errors=1",
    "rails runner -d x",
    "bin/rails s -p $PORT",
    "bin/rails s -P /dev/null",
    "bin/rails s --pid=",
    "celery -A proj beat --pidfile=",
    "celery -A proj worker -l info",
    "gunicorn app:app -b :$PORT",
    "flask run -p 5000",
    "hypercorn app:app",
    "git daemon --base-path=.",
    "ipfs daemon",
    "py-spy record --pid 12 -o x",
    "./server --daemon=false",
    "./server --no-daemon",
    "./server -- --daemon",
    "docker run --rm redis",
    "docker run -e A=d -p 1:1 redis -d",
    "docker run --env-file d -it redis sh -d",
    "docker run --name -d redis",
    "docker compose up",
    "docker compose up --build",
    "docker start -a redis",
    "pm2-runtime start app.js",
    "pm2 start app.js --no-daemon",
    "pm2 logs",
    "forever app.js",
    "caddy run",
    "pg_ctl status",
    "postgres -D data",
    "sshd -D",
    "cron -f",
    "echo nginx",
    "echo 'nohup x &'",
    "echo a '&'",
    "grep -d skip nginx x",
    "a & b & wait",
    "./watch & exec ./server",
    "make watch 2>&1",
    "cat <<EOF",
    "tail -f log | grep -v nohup",
    "cmd &> log",
    "# nginx",
    "./server # --daemonize &",
    "sh -c 'echo $0' nginx",
    "$SERVER -D",
    "systemctl status x",
    "service redis status",
    "npm run dev -- -d",
    "",
    "'",
    '"unclosed $(',
]


@pytest.mark.parametrize("command", BACKGROUND)
def test_what_goes_into_the_background_is_told(command: str) -> None:
    said = advise(command)
    assert said
    assert all(sentence.endswith(".") for sentence in said)
    assert any("background" in sentence or "run the program itself" in sentence for sentence in said), said


@pytest.mark.parametrize("command", PID_FILES)
def test_pid_files_are_told(command: str) -> None:
    (sentence,) = advise(command)
    assert "PID file" in sentence


@pytest.mark.parametrize("command", FINE)
def test_nothing_is_said_against_what_stays_in_the_foreground(command: str) -> None:
    assert advise(command) == []


@pytest.mark.parametrize(
    ("command", "path", "text", "says"),
    [
        ("nginx -c dev.conf", "dev.conf", "worker_processes 1;\ndaemon off;\n", False),
        ("nginx -c dev.conf", "dev.conf", "# daemon off;\n", True),
        ("supervisord -c s.conf", "s.conf", "[supervisord]\nnodaemon=true\n", False),
        ("php-fpm -y f.conf", "f.conf", "[global]\ndaemonize = no\n", False),
        ("php-fpm -y f.conf", "f.conf", "[global]\n;daemonize = no\n", True),
        ("redis-server r.conf", "r.conf", "port 1\ndaemonize yes\n", True),
        ("redis-server r.conf", "r.conf", "port 1\ndaemonize no\n", False),
    ],
)
def test_a_configuration_that_a_command_names_is_heard(command: str, path: str, text: str, says: bool) -> None:
    assert bool(advise(command, {path: text}.get)) is says


def test_several_things_are_several_sentences_and_the_same_one_is_said_once() -> None:
    assert advise("nohup gunicorn -D --pid x.pid app:app &") == [
        "A trailing & leaves the program in the background, and the shell ends at once: leave it out.",
        "nohup keeps a program running when procdeck hangs it up: run the program itself.",
        "gunicorn puts itself into the background with -D: leave it out.",
        "gunicorn writes a PID file with --pid, which procdeck does not need: leave it out.",
    ]
    assert len(advise("nginx; nginx")) == 1


@given(st.text(st.sampled_from(list("ab -d'\"`$(){};&|<>#\\\n=")), max_size=30))
def test_whatever_a_command_is_it_is_read_to_its_end(command: str) -> None:
    for sentence in advise(f"gunicorn {command}"):
        assert sentence.endswith(".")
