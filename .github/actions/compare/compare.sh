#!/usr/bin/env bash
# The step of action.yml that compares: inputs come as SIDE_A, SIDE_B, BASE, ARGUMENTS and FAIL.
set -euo pipefail

a=$SIDE_A b=${SIDE_B:-$SIDE_A} title="\`$SIDE_A\` and \`$b\`"
if [ -n "$BASE" ]; then
    commit=$(git rev-parse --verify "$BASE^{commit}")
    export TWINBENCH_BASE="$RUNNER_TEMP/twinbench-base" TWINBENCH_BUILDER=$SIDE_A
    git worktree add --quiet --force --detach "$TWINBENCH_BASE" "$commit"
    trap 'git worktree remove --force "$TWINBENCH_BASE"' EXIT
    a="$GITHUB_ACTION_PATH/at_commit.py:build" title="\`$SIDE_A\` at ${commit:0:10} and \`$b\` now"
elif [ -z "$SIDE_B" ]; then
    echo "::error::Give the second side as 'b', or a commit as 'base'." && exit 2
fi

read -ra arguments <<<"$ARGUMENTS"
status=0
report=$(twinbench compare "${arguments[@]}" "$a" "$b" 2> >(tee "$RUNNER_TEMP/twinbench-errors" >&2)) || status=$?
case $status in
    0) verdict=same ;;
    1) verdict=different ;;
    3) verdict="cannot tell" ;;
    *) report=$(cat "$RUNNER_TEMP/twinbench-errors") verdict="not compared" ;;
esac
echo "$report"
echo "verdict=$verdict" >>"$GITHUB_OUTPUT"
# Four tildes: no report has a line of them.
printf '## %s: %s\n\n~~~~text\n%s\n~~~~\n' "${verdict^}" "$title" "$report" >>"$GITHUB_STEP_SUMMARY"
if [ "$FAIL" = true ] || [ "$status" -gt 3 ] || [ "$status" = 2 ]; then exit "$status"; fi
