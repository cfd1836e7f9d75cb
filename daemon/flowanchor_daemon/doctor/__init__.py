# SPDX-License-Identifier: Apache-2.0
"""Look at everything an edit needs, and say of each thing whether it is well and what helps if not.

Nothing is changed and no daemon is started. A check is a function that yields findings.
"""

from flowanchor_daemon.doctor.finding import Finding
from flowanchor_daemon.doctor.hosts import checks_of_host
from flowanchor_daemon.doctor.places import Places
from flowanchor_daemon.doctor.report import Report, checks_of, examine

__all__ = ["Finding", "Places", "Report", "checks_of", "checks_of_host", "examine"]
