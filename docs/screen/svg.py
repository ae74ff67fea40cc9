"""Draws what `tmux capture-pane -e -p` prints as an SVG picture: python3 svg.py COLUMNS ROWS TITLE < captured > picture.svg"""

import html
import re
import sys
import unicodedata

CELL, LINE, PAD, BAR = 8.4, 18, 14, 34
GROUND, TEXT = "#16181d", "#d7dae0"
COLOURS = [
    "#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
    "#6b7280", "#ff7b86", "#b5e890", "#ffd98f", "#82c4ff", "#dd9bf0", "#7fd8e2", "#ffffff",
]  # fmt: skip


def indexed(n):
    """The colour of a number, as xterm counts them."""
    if n < 16:
        return COLOURS[n]
    if n < 232:
        steps = [0, 95, 135, 175, 215, 255]
        n -= 16
        return "#%02x%02x%02x" % (steps[n // 36], steps[n // 6 % 6], steps[n % 6])
    return "#%02x%02x%02x" % ((8 + 10 * (n - 232),) * 3)


class Style:
    def __init__(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.italic = self.underlined = self.reversed = False

    def key(self):
        fg, bg = self.fg or TEXT, self.bg
        if self.reversed:
            fg, bg = bg or GROUND, fg
        return fg, bg, self.bold, self.dim, self.italic, self.underlined

    def apply(self, codes):
        codes = [int(c or 0) for c in re.split("[;:]", codes)]
        while codes:
            c = codes.pop(0)
            if c == 0:
                self.__init__()
            elif c in (1, 2, 3, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 3: "italic", 4: "underlined", 7: "reversed"}[c], True)
            elif c in (22, 23, 24, 27):
                for name in {22: ("bold", "dim"), 23: ("italic",), 24: ("underlined",), 27: ("reversed",)}[c]:
                    setattr(self, name, False)
            elif c in (38, 48):
                colour = None
                if codes and codes[0] == 5 and len(codes) > 1:
                    colour, codes = indexed(codes[1]), codes[2:]
                elif codes and codes[0] == 2 and len(codes) > 3:
                    colour, codes = "#%02x%02x%02x" % tuple(codes[1:4]), codes[4:]
                setattr(self, "fg" if c == 38 else "bg", colour)
            elif c == 39:
                self.fg = None
            elif c == 49:
                self.bg = None
            elif 30 <= c <= 37 or 90 <= c <= 97:
                self.fg = COLOURS[c - 30 if c < 90 else c - 82]
            elif 40 <= c <= 47 or 100 <= c <= 107:
                self.bg = COLOURS[c - 40 if c < 100 else c - 92]


def width(char):
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def runs(line, style):
    """Pieces of one style: (column, columns, text, style)."""
    column = 0
    for part in re.split("(\x1b\\[[0-9;:]*m)", line):
        if part.startswith("\x1b["):
            style.apply(part[2:-1])
        else:
            # tmux may set the character set, too.
            part = re.sub("\x1b[()].|\x0e|\x0f", "", part)
            if part:
                columns = sum(map(width, part))
                yield column, columns, part, style.key()
                column += columns


def draw(text, columns, rows, title):
    wide, high = columns * CELL + 2 * PAD, rows * LINE + 2 * PAD + BAR
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" width="{wide:.0f}" height="{high}" '
        'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14">',
        f'<rect width="100%" height="100%" rx="9" fill="{GROUND}"/>',
    ]
    for i, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        out.append(f'<circle cx="{20 + 20 * i}" cy="19" r="6" fill="{colour}"/>')
    out.append(
        f'<text x="{wide / 2:.0f}" y="24" fill="#8a909c" text-anchor="middle">{html.escape(title)}</text>'
    )
    style = Style()
    for row, line in enumerate(text.split("\n")[:rows]):
        top = BAR + PAD + row * LINE
        for column, count, piece, (fg, bg, bold, dim, italic, underlined) in runs(line, style):
            x = PAD + column * CELL
            if bg:
                out.append(f'<rect x="{x:.1f}" y="{top}" width="{count * CELL:.1f}" height="{LINE}" fill="{bg}"/>')
            if not piece.strip():
                continue
            extra = ' font-weight="bold"' * bold + ' opacity="0.6"' * dim
            extra += ' font-style="italic"' * italic + ' text-decoration="underline"' * underlined
            out.append(
                f'<text x="{x:.1f}" y="{top + 13.5}" fill="{fg}" textLength="{count * CELL:.1f}" '
                f'lengthAdjust="spacingAndGlyphs" xml:space="preserve"{extra}>{html.escape(piece)}</text>'
            )
    out.append("</svg>")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    print(draw(sys.stdin.read(), int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]), end="")
