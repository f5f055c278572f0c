"""What the scenarios of both services share. What fails shows where, and no value."""

import sys
from concurrent.futures import ThreadPoolExecutor


def run(scenarios, *arguments):
    """Runs each in its turn, and prints its name when it went well."""
    failed = False
    for scenario in scenarios:
        try:
            scenario(*arguments)
        except Exception as err:
            failed = True
            place = err.__traceback__
            while place.tb_next and place.tb_next.tb_frame.f_code.co_filename == scenario.__code__.co_filename:
                place = place.tb_next
            said = str(err).replace("\n", " ")[:300]
            print(f"failed: {name(scenario)}: line {place.tb_lineno}: {type(err).__name__}: {said}")
        else:
            print(f"ok: {name(scenario)}")
    sys.exit(failed)


def told(calls, refusal):
    """Prints what each of these calls is refused with."""
    for call in calls:
        try:
            call()
        except Exception as err:
            print(f"{refusal(err)} {type(err).__name__}")
        else:
            print("not refused")


def at_once(count, call):
    """Makes the same call so often at the same time, and tells how each went."""

    def attempt(_):
        try:
            return call()
        except Exception as err:
            return err

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(attempt, range(count)))


def name(scenario):
    return scenario.__name__.replace("_", " ")


def same(found, wanted):
    """Two things that are no values."""
    assert found == wanted, f"{found!r} is not {wanted!r}"


def holds(found, wanted):
    """Two values."""
    assert found == wanted, "another value"
