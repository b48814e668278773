//! Bars as SVG, on a logarithmic scale: how many times better ours is, row by row, and how many
//! times dearer a row is beside many others than beside few.

use std::fmt::Write;

const BAR: usize = 12;
const GAP: usize = 6;
const GROUP_GAP: usize = 8;
const LABELS: usize = 300;
const BARS: usize = 460;
const MARGIN: usize = 24;
/// What the left edge of the scale stands for, and the right one.
const SCALE: [f64; 2] = [0.5, 16.0];
/// Better on one thread, better on two workers, worse.
const COLOURS: [&str; 3] = ["#2f7d5b", "#7fbf9f", "#c0504d"];
const STYLE: &str = "text{font:11px sans-serif;fill:#333}line{stroke:#ccc}.one{stroke:#333}\
                     @media(prefers-color-scheme:dark){text{fill:#ddd}line{stroke:#444}\
                     .one{stroke:#ddd}}";

/// The published tokio, ours, and what is cheaper beside many.
const SIDE_COLOURS: [&str; 3] = ["#8c8c8c", "#2f7d5b", "#7fbf9f"];

/// A row: its name, and two ratios, as far as there are any: on one thread and on two workers, or
/// of the published tokio and ours.
pub(crate) type Bars = (String, [Option<f64>; 2]);

/// The plot of how many times better ours is.
pub(crate) fn ratios(rows: &[Bars]) -> String {
    let title = "times better than the published tokio; dark: one thread, light: two workers";
    plot(title, &COLOURS, rows)
}

/// The plot of how many times dearer a row is beside many.
pub(crate) fn growths(rows: &[Bars]) -> String {
    let title = "times dearer beside many others than beside few; grey: the published tokio";
    plot(title, &SIDE_COLOURS, rows)
}

fn plot(title: &str, colours: &[&str; 3], rows: &[Bars]) -> String {
    let group = 2 * BAR + GROUP_GAP;
    let height = 2 * MARGIN + rows.len() * group;
    let width = LABELS + BARS + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\">\n<style>{STYLE}</style>\n\
         <text x=\"8\" y=\"14\">{title}</text>\n"
    );
    for mark in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0] {
        let (x, bottom) = (LABELS as f64 + place(mark), height - MARGIN);
        let class = if mark == 1.0 { " class=\"one\"" } else { "" };
        let _ = writeln!(
            svg,
            "<line{class} x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{MARGIN}\" y2=\"{bottom}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{mark}</text>",
            bottom + 14
        );
    }
    for (number, (name, pair)) in rows.iter().enumerate() {
        let top = MARGIN + GAP / 2 + number * group;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LABELS - 8,
            top + BAR + 4,
            escaped(name)
        );
        for (which, ratio) in pair.iter().enumerate() {
            if let Some(ratio) = ratio {
                let colour = colours[if *ratio < 1.0 { 2 } else { which }];
                bar(&mut svg, top + which * BAR, *ratio, colour);
            }
        }
    }
    svg += "</svg>\n";
    svg
}

fn bar(svg: &mut String, y: usize, ratio: f64, colour: &str) {
    let (one, end) = (place(1.0), place(ratio));
    let (from, to) = (LABELS as f64 + one.min(end), LABELS as f64 + one.max(end));
    let _ = writeln!(
        svg,
        "<rect x=\"{from:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\"/>\
         <text x=\"{:.1}\" y=\"{}\">{ratio:.2}</text>",
        to - from,
        BAR - 1,
        to + 3.0,
        y + BAR - 2
    );
}

/// How far right of the labels a ratio is.
fn place(ratio: f64) -> f64 {
    let [low, high] = SCALE;
    let share = (ratio.clamp(low, high) / low).ln() / (high / low).ln();
    share * BARS as f64
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_below_one_is_a_bar_of_another_colour() {
        let svg = ratios(&[("a < b".to_owned(), [Some(2.0), Some(0.5)])]);
        assert!(svg.contains(COLOURS[0]) && svg.contains(COLOURS[2]));
        assert!(!svg.contains(COLOURS[1]) && svg.contains("a &lt; b"));
        assert!(place(1.0) < place(2.0) && place(100.0) == BARS as f64);
    }
}
