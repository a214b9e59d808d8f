from tests.benchmarks import levers


def row(lever, seed, worst):
    return {
        "lever": lever,
        "seed": seed,
        "auc": dict.fromkeys(levers.VIEWS, 0.99),
        "worst_pair": worst,
        "seconds": 90.0,
        "ece": 0.05,
        "sensitivity": 0.9,
        "specificity": 0.8,
    }


def test_the_table_has_a_row_a_lever_with_the_worst_pair_of_each_seed():
    rows = [row("none", 7, 0.96), row("crops", 7, 0.98), row("none", 8, 0.94)]
    head, _, none, crops = levers.table(rows).splitlines()
    assert head.count("|") == none.count("|") == crops.count("|")
    assert "| 0.9500 (0.9400 to 0.9600) |" in none
    assert "| 0.9800 (0.9800 to 0.9800) |" in crops
    assert crops.endswith("| 1.5 |")
