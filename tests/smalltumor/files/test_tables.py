"""CSV tables: cells that read back, and one format for numbers."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.errors import OutputError, SmalltumorError
from smalltumor.files.tables import csv_text, read_table, whole_number, write_table

# Python's csv module reads other line breaks within a quoted cell as they are.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=12)


def test_every_kind_of_cell_has_one_format():
    row = (3, 0.1234567891, 131017.25, 5.0, 2e-7, np.float64(1 / 3), True, False, None, 'a "b", c')
    text = csv_text([f"c{n}" for n in range(len(row))], [row])
    assert text.splitlines()[1] == (
        '3,0.1234568,131017.2,5,2e-07,0.3333333,true,false,,"a ""b"", c"'
    )


@given(st.lists(st.tuples(TEXT, st.integers(), st.none() | st.floats(allow_nan=False))))
def test_a_table_reads_back(rows):
    text = csv_text(("name", "count", "value"), rows)
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in read] == [row[0] for row in rows]
    assert [int(row["count"]) for row in read] == [row[1] for row in rows]
    for row, (_, _, value) in zip(read, rows, strict=True):
        if value is None:
            assert row["value"] == ""
        else:
            assert float(row["value"]) == pytest.approx(value, rel=1e-6, abs=0)


@given(st.lists(st.tuples(TEXT, st.integers())))
def test_a_written_table_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "table.csv"
    write_table(path, ("name", "count"), rows)
    read = read_table(path, ["name"])
    assert read == [{"name": name, "count": str(count)} for name, count in rows]


@pytest.mark.parametrize("content", [b"", b"a,c\n1,2\n", b"a,b\n1\n", b"\xff", None])
def test_what_is_not_the_table_expected_is_named(tmp_path, content):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SmalltumorError, match=r"table\.csv"):
        read_table(path, ["a", "b"])


@pytest.mark.parametrize(("cell", "number"), [("3", 3), ("3.0", 3), ("-2", -2)])
def test_a_whole_number_is_one_with_a_decimal_point_too(cell, number):
    assert whole_number(cell) == number


@pytest.mark.parametrize("cell", ["3.5", "soon", "nan", "inf", "-"])
def test_what_is_no_whole_number_is_refused(cell):
    with pytest.raises(ValueError, match=cell):
        whole_number(cell)


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="3 cells for 2 columns"):
        csv_text(("a", "b"), [(1, 2, 3)])


def test_an_existing_table_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "table.csv"
    write_table(path, ("a",), [(1,)])
    with pytest.raises(OutputError, match="exists"):
        write_table(path, ("a",), [(2,)])
    write_table(path, ("a", "b"), [(2, None)], overwrite=True)
    assert path.read_bytes() == b"a,b\n2,\n"
