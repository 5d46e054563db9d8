#!/usr/bin/perl
# Prints unicode_tables.h from the Unicode data that comes with perl:
#   perl src/overlay/unicode_tables.pl > src/overlay/unicode_tables.h
use strict;
use warnings;
use Unicode::UCD qw(prop_invmap prop_value_aliases charprop);

sub rows {
    my ($row, $per_line) = @_;
    while (my @line = splice(@$row, 0, $per_line)) {
        print '    ', join(' ', @line), "\n";
    }
}

sub property {
    my ($name, $property) = @_;
    my (@row, $from);
    for my $code (0 .. 0x20000) {
        next if $code >= 0xd800 && $code < 0xe000;
        my $has = $code < 0x20000 && chr($code) =~ /\p{$property}/;
        $from = $code if $has && !defined $from;
        next if $has || !defined $from;
        push @row, sprintf('{ 0x%x, 0x%x },', $from, $code - 1);
        undef $from;
    }
    print "\nstatic const struct code_range ${name}[] = {\n";
    rows(\@row, 4);
    print "};\n";
}

my ($starts, $names) = prop_invmap('Script');
my @range;
for my $i (0 .. $#$starts) {
    next if $names->[$i] =~ /^(Common|Inherited|Unknown)$/;
    my $end = $i < $#$starts ? $starts->[$i + 1] - 1 : 0x10ffff;
    my $last = $range[-1];
    if ($last && $last->[2] eq $names->[$i]
        && !grep { charprop($_, 'Script') !~ /Unknown/ } $last->[1] + 1 .. $starts->[$i] - 1) {
        $last->[1] = $end;
    } else {
        push @range, [$starts->[$i], $end, $names->[$i]];
    }
}

print "/* Unicode ", Unicode::UCD::UnicodeVersion(), ", made by unicode_tables.pl. Sorted ranges; the",
    " ends belong to them. */\n#pragma once\n\n#include <stdint.h>\n\n/* clang-format off */\n";
print "struct code_range { uint32_t first, last; };\n";
print "struct script_range { uint32_t first, last; char tag[4]; };\n\n";
print "static const struct script_range scripts[] = {\n";
rows([map {
    my ($tag) = prop_value_aliases('Script', $_->[2]);
    sprintf('{ 0x%x, 0x%x, "%s" },', $_->[0], $_->[1], $tag);
} @range], 3);
print "};\n";
property('emoji', 'Emoji_Presentation');
property('pictographs', 'Extended_Pictographic');
property('spacing_marks', 'GCB=SpacingMark');
print "/* clang-format on */\n";
