# SPDX-License-Identifier: Apache-2.0
"""A stand-in for DaVinci Resolve, for tests. It is not Resolve, and passing against it proves nothing about
a real one: it holds a caller to the published interface and behaves as documents and users' reports say.

What it is made of:
- the contract (contract.py): classes, methods, arguments, dict keys and choices, read from the stubs of the
  PyPI package `fusionscript-stubs`, corrected by errata.json;
- the overlay (profiles.py): which version, which edition, where the script runs;
- the profile: `strict` raises ContractBroken on whatever the contract does not allow, so that a test fails;
  `lenient` takes everything and answers refusals with False, None or "", as Resolve does; `hostile` is
  lenient and has the known traps set, each of which can be set or unset by name;
- the model (model/): tracks, items, bins, markers, takes, and a render queue that writes real movies of real
  files. What it does not know it refuses with NotModelled, in every profile.

How to use it:

    from tests.resolve.standin.world import Clip, World

    with World(version="21.0.4", edition="studio", profile="strict", volumes=[tmp_path]) as world:
        world.add_timeline(rate=Fraction(24), start_timecode="01:00:00:00", size=(192, 96),
                           clips=[Clip(movie, at=0, first=5, frames=40)])
        resolve = world.scriptapp("Resolve")     # None where a real one gives None
        ...
        world.calls                              # what was asked, in order
        world.open_dialog("..."); world.dismiss_dialog(); world.close_timeline()
        world.before("StartRendering", lambda: world.open_dialog("..."))     # in the middle of things

For processes of their own: `world.environment()` gives the variables under which `import
DaVinciResolveScript` finds this world over a loopback socket (or gives None, hangs, crashes), and `python -m
tests.resolve.standin.inside SCRIPT` runs a script as Resolve's menu would. All of them meet the one world, so
that one process may place what another one has edited.

How to add an erratum: find where it is said (the vendor's text, or somebody's measurement on a named build),
add the place to "sources" in errata.json if it is new, add the entry under its kind (errata.py lists the
kinds), and run the tests beside this package: they tell when the stubs have caught up.
"""
