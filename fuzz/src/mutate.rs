//! Changes inputs. A blind change of PEM nearly always breaks its base64, and one of DER the lengths
//! around it: here what is inside is changed, and what is around it follows.

use libfuzzer_sys::fuzzer_mutate;

use crate::{der, pem};

/// What `pki` takes for a good signature when it is built for a fuzzer (`pki::signature`).
const SIGNED: &[u8; 8] = b"fuzz ok.";

/// More than this is not added to one element at a time.
const GROWTH: usize = 64;

/// Changes a text with PEM in it. Returns its new length.
pub fn in_pem(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice::new(seed);
    let blocks = pem::blocks(&data[..size]);
    if blocks.is_empty() || dice.roll(5) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let block = &blocks[dice.roll(blocks.len())];
    let mut contents = changed(&block.contents, &mut dice);
    if !block.label.contains("PRIVATE KEY")
        && dice.roll(3) > 0
        && let Some(at) = contents.len().checked_sub(SIGNED.len())
    {
        contents[at..].copy_from_slice(SIGNED);
    }
    let body = pem::lines(&contents);
    let tail = data[block.body.end..size].to_vec();
    let new = block.body.start + body.len() + tail.len();
    if new > max_size.min(data.len()) {
        return fuzzer_mutate(data, size, max_size);
    }
    data[block.body.start..][..body.len()].copy_from_slice(body.as_bytes());
    data[block.body.start + body.len()..new].copy_from_slice(&tail);
    new
}

fn changed(contents: &[u8], dice: &mut Dice) -> Vec<u8> {
    let nodes = der::read(contents).filter(|nodes| !nodes.is_empty());
    let Some(mut nodes) = nodes.filter(|_| dice.roll(6) > 0) else {
        let mut bytes = contents.to_vec();
        blindly(&mut bytes);
        return bytes;
    };
    for _ in 0..=dice.roll(2) {
        let count = der::count(&nodes);
        if count == 0 {
            break;
        }
        let other = der::find(&mut nodes, dice.roll(count)).map(|(list, at)| list[at].clone());
        let Some((list, at)) = der::find(&mut nodes, dice.roll(count)) else { break };
        match dice.roll(10) {
            0 => drop(list.remove(at)),
            1 => list.insert(at, list[at].clone()),
            2 => list.extend(other),
            3 => list[at] = other.unwrap_or_else(|| list[at].clone()),
            4 => {
                let with = dice.roll(list.len());
                list.swap(at, with);
            }
            5 => *list[at].tag_mut() ^= 1 << dice.roll(8),
            _ if list[at].is_leaf() || dice.roll(4) == 0 => blindly(list[at].bytes_mut()),
            _ => {}
        }
    }
    der::write(&nodes)
}

fn blindly(bytes: &mut Vec<u8>) {
    let size = bytes.len();
    bytes.resize(size + GROWTH, 0);
    let size = fuzzer_mutate(bytes, size, size + GROWTH);
    bytes.truncate(size);
}

/// xorshift, so that a seed leads to one change and no other.
struct Dice(u32);

impl Dice {
    fn new(seed: u32) -> Self {
        Self(seed | 1)
    }

    /// A number below `sides`, which is not 0.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % sides
    }
}
