"""Tables in and out of CSV files, as spreadsheets in every country write and open them."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from enterprise_access.lib.errors import Invalid

_DELIMITERS: Final = ",;\t|"
_BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
# A spreadsheet runs a cell that begins like this. (It does not show the apostrophe that is put in front.)
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
# Excel writes, and reads, a first line that names the separator.
_SEPARATOR_LINE: Final = re.compile(r"sep=(?P<delimiter>[,;\t|])\r?\n?", re.IGNORECASE)


class FileMalformed(Invalid):
    """The file is not a table with the columns that are needed."""

    code = "file_malformed"


@frozen(kw_only=True)
class TableRow:
    """A row. `line` is the line of the file where it begins. `cells` are by column name."""

    line: int
    cells: Mapping[str, str]


def read_table(content: bytes, *, needed: Sequence[str], max_bytes: int, max_rows: int) -> tuple[TableRow, ...]:
    """Return the rows of a file, with the cells of the `needed` columns. Other columns are ignored.

    Cells may be separated by commas, semicolons or tabs. Column names may differ in case, spaces and hyphens. Raises
    FileMalformed, which names the line and what to do.
    """
    if len(content) > max_bytes:
        raise FileMalformed(f"The file is larger than {max_bytes // 1000} kB. Split it.")
    rows = tuple(_rows_of(_decode(content), needed, max_rows))
    if not rows:
        raise FileMalformed("The file has no rows below the column names.")
    return rows


def _decode(content: bytes) -> str:
    is_utf16 = content.startswith(_BYTE_ORDER_MARKS)
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileMalformed(
            f"Line {line} has a character that is not UTF-8. Save the file as “CSV UTF-8” and try again."
        ) from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise FileMalformed(f"Line {line} has null characters. Save the file as “CSV UTF-8” and try again.")
    return text


def _rows_of(text: str, needed: Sequence[str], max_rows: int) -> Iterator[TableRow]:
    separator = _SEPARATOR_LINE.match(text)
    skipped = 1 if separator else 0
    text = text[separator.end() :] if separator else text
    delimiter = separator["delimiter"] if separator else _delimiter_of(text, needed)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    count = 0
    try:
        names = [name.strip() for name in next(reader, [])]
        places = _places_of(names, needed, line=1 + skipped)
        begins = reader.line_num + 1
        for cells in reader:
            line, begins = begins + skipped, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > max_rows:
                raise FileMalformed(f"The file has more than {max_rows} rows. Split it.")
            _check_width(cells, names, places, line)
            yield TableRow(line=line, cells={name: _undefused(cells[place]) for name, place in places.items()})
    except csv.Error as error:
        raise FileMalformed(f"Line {reader.line_num + skipped} cannot be read as CSV: {error}.") from None


def _delimiter_of(text: str, needed: Sequence[str]) -> str:
    """Return what separates the names of the first line: what makes the needed ones appear, or else most of them."""
    first = next(iter(io.StringIO(text, newline="")), "")

    def found(delimiter: str) -> tuple[int, int]:
        try:
            names = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        folded = {_fold(name) for name in names}
        return sum(_fold(name) in folded for name in needed), len(names)

    return max(_DELIMITERS, key=found)


def _fold(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).casefold()


def _places_of(names: Sequence[str], needed: Sequence[str], *, line: int) -> dict[str, int]:
    folded = [_fold(name) for name in names]
    if any(folded.count(_fold(name)) != 1 for name in needed):
        listed = " and ".join(f"“{name}”" for name in needed)
        found = ", ".join(f"“{name}”" for name in names if name)
        raise FileMalformed(
            f"Line {line} must name the columns: {listed} once each, separated by commas, semicolons or tabs. "
            + (f"It names {found[:200]}." if found else "It names nothing.")
        )
    named = [name for name in folded if name]
    if len(set(named)) < len(named):
        raise FileMalformed(f"Line {line} names a column twice. Rename or remove one of them.")
    return {name: folded.index(_fold(name)) for name in needed}


def _check_width(cells: Sequence[str], names: Sequence[str], places: Mapping[str, int], line: int) -> None:
    """Refuse a row that is shifted: with fewer cells than are needed, or with values in columns without a name."""
    width = len(names)
    extra = [number for number, cell in enumerate(cells) if cell.strip() and (number >= width or not names[number])]
    if extra and extra[0] < width:
        raise FileMalformed(f"Line {line} has a value in column {extra[0] + 1}, which is without a name in line 1.")
    if extra or len(cells) <= max(places.values()):
        raise FileMalformed(
            f"Line {line} has {len(cells)} columns, and the column names {width}. Put quotes around a cell that "
            "contains the separator."
        )


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a CSV file that a spreadsheet opens without running it."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([_defused(cell) for cell in row] for row in rows)
    return file.getvalue()


def _defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _undefused(cell: str) -> str:
    cell = cell.strip()
    return cell[1:].strip() if cell.startswith("'") else cell
