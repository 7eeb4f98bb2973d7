use super::*;

#[test]
fn grows_for_a_long_row_and_gives_the_memory_back() {
    let mut buffer = ReadBuffer::default();
    let mut put = 0;
    while put < MAX_LINE_BYTES + 1 {
        put += buffer.put(&[b'x'; 1000]);
    }
    assert_eq!(buffer.data().len(), put);
    assert!(buffer.data().iter().all(|b| *b == b'x'));
    buffer.take(put - 3);
    assert_eq!(buffer.put(b"yz"), 2);
    assert_eq!(buffer.data(), b"xxxyz");
    buffer.clear();
    assert_eq!(buffer.data(), b"");
    assert_eq!(buffer.room().len(), START_BYTES);
}
