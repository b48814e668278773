//! How two ways compare that were measured in turn: the ratio, and how sure that is.

/// How likely it is that the interval lies wholly above the true ratio; the same below it.
const CHANCE: f64 = 0.005;
/// So many pairs are the fewest of which an interval can be told.
pub(crate) const PAIRS_MIN: usize = 8;

/// The median of the ratios of pairs, in an interval by the sign test: it supposes nothing about
/// how they are distributed, but that pairs know nothing of each other.
#[derive(Debug)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Ratio {
    /// How many times `below` goes into `above`, pair by pair.
    pub(crate) fn of(above: &[f64], below: &[f64]) -> Self {
        let pairs = above.iter().zip(below);
        let mut ratios: Vec<f64> = pairs.map(|(above, below)| above / below).collect();
        ratios.sort_by(f64::total_cmp);
        let outside = outside(ratios.len());
        Self {
            median: median(&ratios),
            least: ratios[outside],
            most: ratios[ratios.len() - 1 - outside],
        }
    }

    /// `1.02 [0.98, 1.05]`.
    pub(crate) fn shown(&self) -> String {
        self.shown_to(2)
    }

    /// [`shown`](Self::shown), with so many digits behind the point.
    pub(crate) fn shown_to(&self, digits: usize) -> String {
        format!(
            "{:.digits$} [{:.digits$}, {:.digits$}]",
            self.median, self.least, self.most
        )
    }

    /// What the interval says: nothing, if 1 is in it.
    pub(crate) fn verdict(&self) -> &'static str {
        if self.least > 1.0 {
            "faster"
        } else if self.most < 1.0 {
            "slower"
        } else {
            "-"
        }
    }
}

/// The median of what is in order.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

/// How many of `pairs` ratios lie outside of the interval at each end: if the true one were among
/// them, so few of the others would be on its other side no more often than [`CHANCE`].
fn outside(pairs: usize) -> usize {
    assert!(pairs >= PAIRS_MIN, "an interval needs {PAIRS_MIN} pairs");
    // How likely no toss of `pairs` coins, then one, two and so on, shows heads.
    let mut term = 0.5_f64.powi(i32::try_from(pairs).expect("there are no so many rounds"));
    let mut tail = term;
    let mut count = 0;
    while tail + term * (pairs - count) as f64 / (count + 1) as f64 <= CHANCE {
        term *= (pairs - count) as f64 / (count + 1) as f64;
        tail += term;
        count += 1;
    }
    count
}
