//! Smaller copies of grey pictures.

use crate::media::Frame;

/// Puts `frame` at the size `width` by `height` into `into`: each new pixel is the mean of those that
/// it stands for, or the one in its middle where the copy is larger.
///
/// An empty frame gives black.
pub(super) fn scale(frame: &Frame, width: usize, height: usize, into: &mut Vec<u8>) {
    let (from_width, from_height) = (frame.width as usize, frame.height as usize);
    into.clear();
    if from_width == 0 || frame.luma.len() < from_width * from_height {
        into.resize(width * height, 0);
        return;
    }
    // Where each new column begins and ends; at least one pixel wide.
    let ranges = |old: usize, new: usize| -> Vec<(usize, usize)> {
        let edge = |at: usize| at * old / new;
        (0..new).map(|at| (edge(at), edge(at + 1).max(edge(at) + 1))).collect()
    };
    let columns = ranges(from_width, width);
    let mut sums = vec![0_u32; width];
    for (top, bottom) in ranges(from_height, height) {
        sums.fill(0);
        for row in frame.luma.chunks_exact(from_width).take(bottom).skip(top) {
            for (sum, (left, right)) in sums.iter_mut().zip(&columns) {
                *sum += row[*left..*right].iter().map(|pixel| u32::from(*pixel)).sum::<u32>();
            }
        }
        let rows = (bottom - top) as u32;
        into.extend(
            sums.iter()
                .zip(&columns)
                .map(|(sum, (left, right))| (sum / (rows * (right - left) as u32)) as u8),
        );
    }
}

/// Puts the part of `frame` between the edges left, top, right and bottom into `into`; the edges must lie
/// in the frame. Its time is that of the whole.
pub(super) fn cut(frame: &Frame, [left, top, right, bottom]: [u32; 4], into: &mut Frame) {
    let [from, to] = [left, right.max(left)].map(|edge| edge as usize);
    into.luma.clear();
    for row in frame
        .luma
        .chunks_exact(frame.width.max(1) as usize)
        .take(bottom as usize)
        .skip(top as usize)
    {
        into.luma.extend_from_slice(row.get(from..to).unwrap_or_default());
    }
    (into.width, into.height) = (right.saturating_sub(left), bottom.saturating_sub(top));
    into.taken = frame.taken;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn frame(width: u32, luma: &[u8]) -> Frame {
        let height = luma.len() as u32 / width;
        Frame { width, height, luma: luma.to_vec(), taken: Instant::now() }
    }

    #[test]
    fn a_smaller_copy_is_made_of_means_and_a_larger_one_of_copies() {
        let mut copy = Vec::new();
        scale(&frame(4, &[10, 20, 50, 60, 30, 40, 70, 80]), 2, 1, &mut copy);
        assert_eq!(copy, [25, 65]);
        scale(&frame(2, &[1, 2, 3, 4]), 4, 2, &mut copy);
        assert_eq!(copy, [1, 1, 2, 2, 3, 3, 4, 4]);
        scale(&frame(3, &[9, 9, 9, 9, 9, 9]), 2, 2, &mut copy);
        assert_eq!(copy, [9; 4]);
    }

    #[test]
    fn a_part_is_cut_out() {
        let whole = frame(3, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let mut part = frame(1, &[0]);
        cut(&whole, [1, 0, 3, 2], &mut part);
        assert_eq!((part.width, part.height, &part.luma[..]), (2, 2, &[2, 3, 5, 6][..]));
        cut(&whole, [0, 0, 3, 3], &mut part);
        assert_eq!(part.luma, whole.luma);
        cut(&whole, [3, 3, 3, 3], &mut part);
        assert_eq!((part.width, part.height, part.luma.len()), (0, 0, 0));
    }

    #[test]
    fn nothing_is_black() {
        let mut copy = vec![7];
        let nothing = Frame { width: 0, height: 0, luma: Vec::new(), taken: Instant::now() };
        scale(&nothing, 2, 2, &mut copy);
        assert_eq!(copy, [0; 4]);
    }
}
