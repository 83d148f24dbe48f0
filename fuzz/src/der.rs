//! DER as a tree, so that a change inside keeps the lengths around it right.

/// One element.
#[derive(Clone)]
pub(crate) struct Node {
    tag: u8,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Bytes(Vec<u8>),
    Nodes(Vec<Node>),
}

/// Deeper than any certificate.
const DEPTH: u8 = 24;

/// The elements of `der`; `None` where it is something else.
pub(crate) fn read(der: &[u8]) -> Option<Vec<Node>> {
    read_within(der, DEPTH)
}

fn read_within(mut der: &[u8], depth: u8) -> Option<Vec<Node>> {
    let depth = depth.checked_sub(1)?;
    let mut nodes = Vec::new();
    while let [tag, rest @ ..] = der {
        // No tag of X.509 takes more than one octet.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        // An OCTET STRING holds DER in an extension.
        let holds_nodes = tag & 0x20 != 0 || *tag == 0x04;
        let inner = if holds_nodes { read_within(content, depth) } else { None };
        let body = match inner {
            Some(nodes) if !nodes.is_empty() => Body::Nodes(nodes),
            _ => Body::Bytes(content.to_vec()),
        };
        nodes.push(Node { tag: *tag, body });
        der = rest;
    }
    Some(nodes)
}

fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = der.split_first()?;
    let count = usize::from(first & 0x7f);
    if first & 0x80 == 0 {
        return Some((count, rest));
    }
    let (octets, rest) = rest.split_at_checked(count)?;
    let fits = (1..=4).contains(&count);
    fits.then(|| (octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest))
}

/// The elements as DER.
pub(crate) fn write(nodes: &[Node]) -> Vec<u8> {
    let mut der = Vec::new();
    for node in nodes {
        let content = match &node.body {
            Body::Bytes(bytes) => bytes.clone(),
            Body::Nodes(nodes) => write(nodes),
        };
        der.push(node.tag);
        match u8::try_from(content.len()) {
            Ok(length @ ..0x80) => der.push(length),
            _ => {
                let octets = content.len().to_be_bytes();
                let zeros = octets.iter().take_while(|octet| **octet == 0).count();
                let octets = &octets[zeros..];
                der.push(0x80 | octets.len() as u8);
                der.extend(octets);
            }
        }
        der.extend(content);
    }
    der
}

/// How many elements there are at every depth.
pub(crate) fn count(nodes: &[Node]) -> usize {
    nodes
        .iter()
        .map(|node| 1 + if let Body::Nodes(inner) = &node.body { count(inner) } else { 0 })
        .sum()
}

/// The element of this number, depth first, as a place in the list that holds it.
pub(crate) fn find(nodes: &mut Vec<Node>, number: usize) -> Option<(&mut Vec<Node>, usize)> {
    let mut passed = 0;
    for at in 0..nodes.len() {
        if passed == number {
            return Some((nodes, at));
        }
        passed += 1;
        let inner = if let Body::Nodes(inner) = &nodes[at].body { count(inner) } else { 0 };
        if number < passed + inner {
            let Body::Nodes(inner) = &mut nodes[at].body else { return None };
            return find(inner, number - passed);
        }
        passed += inner;
    }
    None
}

impl Node {
    pub(crate) fn tag_mut(&mut self) -> &mut u8 {
        &mut self.tag
    }

    /// The content as bytes, which it is from now on.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        if let Body::Nodes(nodes) = &self.body {
            self.body = Body::Bytes(write(nodes));
        }
        let Body::Bytes(bytes) = &mut self.body else { unreachable!("it was made bytes above") };
        bytes
    }

    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self.body, Body::Bytes(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        let der = [0x30, 0x07, 0x02, 0x01, 0x05, 0x04, 0x02, 0x05, 0x00];
        let mut nodes = read(&der).unwrap();
        assert_eq!(write(&nodes), der);
        assert_eq!(count(&nodes), 4);
        let (list, at) = find(&mut nodes, 1).unwrap();
        list[at].bytes_mut().push(1);
        assert_eq!(write(&nodes), [0x30, 0x08, 0x02, 0x02, 0x05, 0x01, 0x04, 0x02, 0x05, 0x00]);
    }
}
