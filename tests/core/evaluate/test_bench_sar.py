# SPDX-License-Identifier: Apache-2.0
from flowanchor_core.evaluate.bench_sar import DENSE, EXACT, PLAIN, Case, measure, table


def test_exact_sar_needs_a_quarter_of_the_dense_forms_memory_and_agrees_with_it() -> None:
    rows = {row.name: row for row in measure(Case.make(2048, 512, 24, 2, 16, "cpu"), rounds=1)}
    assert list(rows) == [PLAIN, DENSE, EXACT]
    assert rows[EXACT].peak_bytes < 0.25 * rows[DENSE].peak_bytes
    # The dense form holds at least one N x L matrix for all heads.
    assert rows[DENSE].peak_bytes > 2048 * 512 * 2 * 4
    assert all(row.error < 1e-5 for row in rows.values())
    assert rows[PLAIN].ratio == 1
    assert len(table(list(rows.values())).splitlines()) == 4
