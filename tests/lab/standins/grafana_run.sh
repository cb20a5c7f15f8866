#!/bin/sh
exec /usr/share/grafana/bin/grafana server "$@"
