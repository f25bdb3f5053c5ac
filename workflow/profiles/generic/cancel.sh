#!/bin/sh
# Cancel jobs. Arguments: their ids.
exec scancel "$@"
