"""Why a product that was made again has other bytes: what its record and the new one differ in."""

from typing import Any

from calwebb_core.framework.verify.findings import Finding, short

MACHINE = (
    "software, lock file, options, reference files and input are the same: another kind of CPU, "
    "another build of a library, sources changed under the same version, or the product was edited"
)
UNKNOWN_LOCK = (
    "versions, options, reference files and input are the same, the lock file is not recorded: "
    "another kind of CPU, another build or version of a library, sources changed under the same "
    "version, or the product was edited"
)


def causes(old: dict[str, Any], new: dict[str, Any]) -> list[Finding]:
    """Return what two records of one run differ in.

    Parameters
    ----------
    old, new : dict
        The run as the product has it, and as the one made again has it.

    Returns
    -------
    list of Finding
        Changed inputs and reference files of the same name are not among them: these were
        found before.
    """
    return [
        *other_versions(old, new),
        *other_environment(old, new),
        *other_references(old, new),
        *other_steps(old, new),
        *other_rest(old, new),
    ]


def other_versions(old: dict[str, Any], new: dict[str, Any]) -> list[Finding]:
    """Name the packages and libraries of another version."""
    before, after = old["software"], new["software"]
    found = []
    for name in sorted({*before, *after}):
        was, is_now = before.get(name), after.get(name)
        if was != is_now:
            text = f"{name} was {was or 'not recorded'}, here it is {is_now or 'not there'}"
            found.append(Finding("version", text, {"name": name, "recorded": was, "found": is_now}))
    return found


def other_environment(old: dict[str, Any], new: dict[str, Any]) -> list[Finding]:
    """Say whether the environments were made from other lock files."""
    was, is_now = lock_of(old), lock_of(new)
    if was == is_now:
        return []
    text = f"the lock file of the environment was {short(was)}, here it is {short(is_now)}"
    return [Finding("lock", text, {"recorded": was, "found": is_now})]


def lock_of(run: dict[str, Any]) -> str | None:
    """Return the SHA-256 of the lock file that a run records."""
    lock = (run.get("environment") or {}).get("lock")
    return None if lock is None else str(lock)


def other_references(old: dict[str, Any], new: dict[str, Any]) -> list[Finding]:
    """Name the reference types that are used in one run only."""
    before, after = old["references"], new["references"]
    found = []
    for kind in sorted({*before, *after}):
        was, is_now = (used.get(kind, {}).get("name") for used in (before, after))
        if was != is_now:
            text = f"reference {kind} was {was or 'not used'}, here it is {is_now or 'not used'}"
            details = {"name": kind, "recorded": was, "found": is_now}
            found.append(Finding("reference", text, details))
    return found


def other_steps(old: dict[str, Any], new: dict[str, Any]) -> list[Finding]:
    """Name the steps that ended in another way, and options with other values."""
    before = {step["name"]: step for step in old["steps"]}
    after = {step["name"]: step for step in new["steps"]}
    found = []
    for name in {**before, **after}:
        was, is_now = before.get(name), after.get(name)
        if was is None or is_now is None:
            where = "only when it was made" if is_now is None else "only here"
            found.append(Finding("step", f"step {name} is recorded {where}", {"name": name}))
        else:
            found += other_step(was, is_now)
    return found


def other_step(was: dict[str, Any], is_now: dict[str, Any]) -> list[Finding]:
    """Say how a step ended in another way, and which options have other values."""
    name = was["name"]
    ends = [f"{step.get('status')} {step.get('reason', '')}".strip() for step in (was, is_now)]
    if ends[0] != ends[1]:
        text = f"step {name} ended as {ends[0]}, here as {ends[1]}"
        return [Finding("step", text, {"name": name, "recorded": ends[0], "found": ends[1]})]
    before, after = (step.get("parameters", {}) for step in (was, is_now))
    found = other_hooks(was, is_now)
    for option in {**before, **after}:
        pair = [values.get(option, "not recorded") for values in (before, after)]
        if pair[0] != pair[1]:
            text = f"option {name}.{option} was {pair[0]}, here it is {pair[1]}"
            details = {"name": f"{name}.{option}", "recorded": pair[0], "found": pair[1]}
            found.append(Finding("option", text, details))
    return found


def other_hooks(was: dict[str, Any], is_now: dict[str, Any]) -> list[Finding]:
    """Name the user's own functions whose files have changed."""
    before, after = (hook_sums(step) for step in (was, is_now))
    found = []
    for hook in {**before, **after}:
        sums = [files.get(hook) for files in (before, after)]
        if sums[0] != sums[1]:
            text = (
                f"the file of hook {hook} of {was['name']} has changed: its SHA-256 was "
                f"{short(sums[0])}, here it is {short(sums[1])}"
            )
            details = {"name": hook, "recorded": sums[0], "found": sums[1]}
            found.append(Finding("hook changed", text, details))
    return found


def hook_sums(step: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of the files that the user's functions of a step are in."""
    files = step.get("hook_files")
    return {
        str(hook): str(file.get("sha256"))
        for hook, file in (files.items() if isinstance(files, dict) else ())
        if isinstance(file, dict)
    }


def other_rest(old: dict[str, Any], new: dict[str, Any]) -> list[Finding]:
    """Name what else is recorded and differs."""
    known = ("software", "environment", "references", "steps", "input")
    return [
        Finding(name, f"{name} was {old.get(name)}, here it is {new.get(name)}")
        for name in {**old, **new}
        if name not in known and old.get(name) != new.get(name)
    ]


def machine(run: dict[str, Any]) -> Finding:
    """Return what is left as a cause when nothing that is recorded differs."""
    return Finding("machine", UNKNOWN_LOCK if lock_of(run) is None else MACHINE)
