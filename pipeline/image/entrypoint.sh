#!/bin/sh
# Beam's engines start an image with options alone, all others name a program.
case "$1" in
  # What Beam keeps goes where this user may write; the last of two options counts.
  --*) exec /opt/apache/beam/boot "$@" --semi_persist_dir=/tmp ;;
  *) exec "$@" ;;
esac
