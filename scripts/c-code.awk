# c-code.awk - code(line): a line of C without its comments and without what its literals hold.
# Call it for each line, in order; a comment may go on from the line before.
BEGIN {
    rest["\""] = "^([^\"\\\\]|\\\\.)*\""
    rest["'"] = "^([^'\\\\]|\\\\.)*'"
}

function code(line,    out, mark)
{
    if (FNR == 1)
        in_comment = 0
    out = ""
    while (line != "") {
        if (in_comment) {
            if (!match(line, /\*\//))
                return out
            in_comment = 0
            line = substr(line, RSTART + 2)
            continue
        }
        if (!match(line, /\/\*|\/\/|"|'/))
            return out line
        out = out substr(line, 1, RSTART - 1)
        mark = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        if (mark == "//")
            return out
        if (mark == "/*") {
            in_comment = 1
            out = out " "
            continue
        }
        out = out mark mark
        if (!match(line, rest[mark]))
            return out
        line = substr(line, RSTART + RLENGTH)
    }
    return out
}
