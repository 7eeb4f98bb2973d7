//! The counters of HAProxy's modules (`?extra-counters`): the columns of `show stat` after the one named `-`,
//! each under the name of its column, with the module as a label.
//!
//! All are typed counter, as in HAProxy's exporter, even those that are gauges. Servers and listeners have
//! only the first module, ssl. The releases are the first ones whose sources have the column.

use super::{Cell, Conversion, Family, Kind, labels};
use crate::haproxy::stat::RowType;

/// The number of columns of all modules.
const COUNT: usize = {
    let mut count = 0;
    let mut module = 0;
    while module < COLUMNS.len() {
        count += COLUMNS[module].len();
        module += 1;
    }
    count
};

const PROXIES: u8 = RowType::Frontend.bit() | RowType::Backend.bit();

static CELLS: [Cell; COUNT] = {
    let mut cells = [Cell::new("", Conversion::Integer); COUNT];
    let (mut at, mut module) = (0, 0);
    while module < COLUMNS.len() {
        let columns = COLUMNS[module];
        let mut column = 0;
        while column < columns.len() {
            cells[at].column = columns[column].0;
            cells[at].label = labels::MODULE + module as u8;
            (at, column) = (at + 1, column + 1);
        }
        module += 1;
    }
    cells
};

pub(super) static FAMILIES: [Family; COUNT] = {
    let none = Family {
        kind: Kind::Counter,
        name: "",
        help: ["", ""],
        row_types: PROXIES,
        cells: &[],
    };
    let mut families = [none; COUNT];
    let (mut at, mut module) = (0, 0);
    while module < COLUMNS.len() {
        let columns = COLUMNS[module];
        let mut column = 0;
        while column < columns.len() {
            let (name, help) = columns[column];
            families[at].name = name;
            families[at].help = [help, ""];
            if module == 0 {
                families[at].row_types |= RowType::Server.bit() | RowType::Listener.bit();
            }
            families[at].cells = std::slice::from_ref(&CELLS[at]);
            (at, column) = (at + 1, column + 1);
        }
        module += 1;
    }
    families
};

/// The columns of each module of [`labels::MODULES`], each with its help text.
#[rustfmt::skip]
pub(super) const COLUMNS: [&[(&str, &str)]; labels::MODULES.len()] = [
    // ssl
    &[
        ("ssl_sess", "TLS sessions established (HAProxy 2.4 and later)."),
        ("ssl_reused_sess", "TLS sessions resumed (HAProxy 2.4 and later)."),
        ("ssl_failed_handshake", "TLS handshakes that failed (HAProxy 2.4 and later)."),
        ("ssl_ocsp_staple", "OCSP responses stapled (HAProxy 3.2 and later)."),
        ("ssl_failed_ocsp_staple", "OCSP responses not stapled because they were expired or invalid (HAProxy 3.2 and later)."),
    ],
    // h1
    &[
        ("h1_open_connections", "HTTP/1 connections open now (a gauge in spite of its type; HAProxy 2.6 and later)."),
        ("h1_open_streams", "HTTP/1 streams open now (a gauge in spite of its type; HAProxy 2.6 and later)."),
        ("h1_total_connections", "HTTP/1 connections (HAProxy 2.6 and later)."),
        ("h1_total_streams", "HTTP/1 streams (HAProxy 2.6 and later)."),
        ("h1_bytes_in", "Bytes received over HTTP/1 (HAProxy 2.6 and later)."),
        ("h1_bytes_out", "Bytes sent over HTTP/1 (HAProxy 2.6 and later)."),
        ("h1_spliced_bytes_in", "Bytes received over HTTP/1 through a kernel pipe (splicing; HAProxy 2.6 and later)."),
        ("h1_spliced_bytes_out", "Bytes sent over HTTP/1 through a kernel pipe (splicing; HAProxy 2.6 and later)."),
    ],
    // h2
    &[
        ("h2_headers_rcvd", "HTTP/2 HEADERS frames received (HAProxy 2.3 and later)."),
        ("h2_data_rcvd", "HTTP/2 DATA frames received (HAProxy 2.3 and later)."),
        ("h2_settings_rcvd", "HTTP/2 SETTINGS frames received (HAProxy 2.3 and later)."),
        ("h2_rst_stream_rcvd", "HTTP/2 RST_STREAM frames received (HAProxy 2.3 and later)."),
        ("h2_goaway_rcvd", "HTTP/2 GOAWAY frames received (HAProxy 2.3 and later)."),
        ("h2_detected_conn_protocol_errors", "HTTP/2 protocol errors of a whole connection (HAProxy 2.3 and later)."),
        ("h2_detected_strm_protocol_errors", "HTTP/2 protocol errors of a single stream (HAProxy 2.3 and later)."),
        ("h2_rst_stream_resp", "HTTP/2 RST_STREAM frames sent after an error (HAProxy 2.3 and later)."),
        ("h2_goaway_resp", "HTTP/2 GOAWAY frames sent after an error (HAProxy 2.3 and later)."),
        ("h2_open_connections", "HTTP/2 connections open now (a gauge in spite of its type; HAProxy 2.3 and later)."),
        ("h2_backend_open_streams", "HTTP/2 streams open now (a gauge in spite of its type; HAProxy 2.3 and later)."),
        ("h2_total_connections", "HTTP/2 connections (HAProxy 2.4 and later)."),
        ("h2_backend_total_streams", "HTTP/2 streams (HAProxy 2.4 and later)."),
    ],
    // h3
    &[
        ("h3_data", "HTTP/3 DATA frames received (HAProxy 2.6 and later)."),
        ("h3_headers", "HTTP/3 HEADERS frames received (HAProxy 2.6 and later)."),
        ("h3_cancel_push", "HTTP/3 CANCEL_PUSH frames received (HAProxy 2.6 and later)."),
        ("h3_push_promise", "HTTP/3 PUSH_PROMISE frames received (HAProxy 2.6 and later)."),
        ("h3_max_push_id", "HTTP/3 MAX_PUSH_ID frames received (HAProxy 2.6 and later)."),
        ("h3_goaway", "HTTP/3 GOAWAY frames received (HAProxy 2.6 and later)."),
        ("h3_settings", "HTTP/3 SETTINGS frames received (HAProxy 2.6 and later)."),
        ("h3_no_error", "Connections that the peer closed with H3_NO_ERROR (HAProxy 2.6 and later)."),
        ("h3_general_protocol_error", "Connections that the peer closed with H3_GENERAL_PROTOCOL_ERROR (HAProxy 2.6 and later)."),
        ("h3_internal_error", "Connections that the peer closed with H3_INTERNAL_ERROR (HAProxy 2.6 and later)."),
        ("h3_stream_creation_error", "Connections that the peer closed with H3_STREAM_CREATION_ERROR (HAProxy 2.6 and later)."),
        ("h3_closed_critical_stream", "Connections that the peer closed with H3_CLOSED_CRITICAL_STREAM (HAProxy 2.6 and later)."),
        ("h3_frame_unexpected", "Connections that the peer closed with H3_FRAME_UNEXPECTED (HAProxy 2.6 and later)."),
        ("h3_frame_error", "Connections that the peer closed with H3_FRAME_ERROR (HAProxy 2.6 and later)."),
        ("h3_excessive_load", "Connections that the peer closed with H3_EXCESSIVE_LOAD (HAProxy 2.6 and later)."),
        ("h3_id_error", "Connections that the peer closed with H3_ID_ERROR (HAProxy 2.6 and later)."),
        ("h3_settings_error", "Connections that the peer closed with H3_SETTINGS_ERROR (HAProxy 2.6 and later)."),
        ("h3_missing_settings", "Connections that the peer closed with H3_MISSING_SETTINGS (HAProxy 2.6 and later)."),
        ("h3_request_rejected", "Connections that the peer closed with H3_REQUEST_REJECTED (HAProxy 2.6 and later)."),
        ("h3_request_cancelled", "Connections that the peer closed with H3_REQUEST_CANCELLED (HAProxy 2.6 and later)."),
        ("h3_request_incomplete", "Connections that the peer closed with H3_REQUEST_INCOMPLETE (HAProxy 2.6 and later)."),
        ("h3_message_error", "Connections that the peer closed with H3_MESSAGE_ERROR (HAProxy 2.6 and later)."),
        ("h3_connect_error", "Connections that the peer closed with H3_CONNECT_ERROR (HAProxy 2.6 and later)."),
        ("h3_version_fallback", "Connections that the peer closed with H3_VERSION_FALLBACK (HAProxy 2.6 and later)."),
        ("pack_decompression_failed", "Connections that the peer closed with QPACK_DECOMPRESSION_FAILED (HAProxy 2.6 and later)."),
        ("qpack_encoder_stream_error", "Connections that the peer closed with QPACK_ENCODER_STREAM_ERROR (HAProxy 2.6 and later)."),
        ("qpack_decoder_stream_error", "Connections that the peer closed with QPACK_DECODER_STREAM_ERROR (HAProxy 2.6 and later)."),
    ],
    // quic
    &[
        ("quic_rxbuf_full", "QUIC datagrams not received because the receive buffer was full (HAProxy 2.7 and later)."),
        ("quic_dropped_pkt", "QUIC packets dropped (HAProxy 2.6 and later)."),
        ("quic_dropped_pkt_bufoverrun", "QUIC packets dropped because a buffer was full (HAProxy 2.7 and later)."),
        ("quic_dropped_parsing_pkt", "QUIC packets dropped because they could not be parsed (HAProxy 2.6 and later)."),
        ("quic_socket_full", "QUIC sends that failed because the socket was full (EAGAIN; HAProxy 2.7 and later)."),
        ("quic_sendto_err", "QUIC sends that failed with another error than EAGAIN (HAProxy 2.7 and later)."),
        ("quic_sendto_err_unknwn", "QUIC sends that failed with an unexpected error (HAProxy 2.7 and later)."),
        ("quic_sent_pkt", "QUIC packets sent (HAProxy 2.8 and later)."),
        ("quic_lost_pkt", "QUIC packets sent and lost (HAProxy 2.6 and later)."),
        ("quic_too_short_dgram", "QUIC datagrams with an Initial packet that were too short (HAProxy 2.6 and later)."),
        ("quic_retry_sent", "QUIC Retry packets sent (HAProxy 2.6 and later)."),
        ("quic_retry_validated", "QUIC Retry tokens accepted (HAProxy 2.6 and later)."),
        ("quic_retry_error", "QUIC Retry tokens rejected (HAProxy 2.6 and later)."),
        ("quic_half_open_conn", "QUIC connections that wait for address validation now (a gauge in spite of its type; HAProxy 2.6 and later)."),
        ("quic_hdshk_fail", "QUIC handshakes that failed (HAProxy 2.6 and later)."),
        ("quic_stless_rst_sent", "QUIC stateless resets sent (HAProxy 2.6 and later)."),
        ("quic_conn_migration_done", "QUIC connections that moved to another address of the client (HAProxy 2.8 and later)."),
        ("quic_transp_err_no_error", "QUIC connections that the peer closed with NO_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_internal_error", "QUIC connections that the peer closed with INTERNAL_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_connection_refused", "QUIC connections that the peer closed with CONNECTION_REFUSED (HAProxy 2.6 and later)."),
        ("quic_transp_err_flow_control_error", "QUIC connections that the peer closed with FLOW_CONTROL_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_stream_limit_error", "QUIC connections that the peer closed with STREAM_LIMIT_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_stream_state_error", "QUIC connections that the peer closed with STREAM_STATE_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_final_size_error", "QUIC connections that the peer closed with FINAL_SIZE_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_frame_encoding_error", "QUIC connections that the peer closed with FRAME_ENCODING_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_transport_parameter_error", "QUIC connections that the peer closed with TRANSPORT_PARAMETER_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_connection_id_limit", "QUIC connections that the peer closed with CONNECTION_ID_LIMIT_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_protocol_violation_error", "QUIC connections that the peer closed with PROTOCOL_VIOLATION (HAProxy 2.6 and later)."),
        ("quic_transp_err_invalid_token", "QUIC connections that the peer closed with INVALID_TOKEN (HAProxy 2.6 and later)."),
        ("quic_transp_err_application_error", "QUIC connections that the peer closed with APPLICATION_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_crypto_buffer_exceeded", "QUIC connections that the peer closed with CRYPTO_BUFFER_EXCEEDED (HAProxy 2.6 and later)."),
        ("quic_transp_err_key_update_error", "QUIC connections that the peer closed with KEY_UPDATE_ERROR (HAProxy 2.6 and later)."),
        ("quic_transp_err_aead_limit_reached", "QUIC connections that the peer closed with AEAD_LIMIT_REACHED (HAProxy 2.6 and later)."),
        ("quic_transp_err_no_viable_path", "QUIC connections that the peer closed with NO_VIABLE_PATH (HAProxy 2.6 and later)."),
        ("quic_transp_err_crypto_error", "QUIC connections that the peer closed with a CRYPTO_ERROR (a TLS alert; HAProxy 2.6 and later)."),
        ("quic_transp_err_unknown_error", "QUIC connections that the peer closed with an unknown transport error (HAProxy 2.6 and later)."),
        ("quic_data_blocked", "QUIC DATA_BLOCKED frames received (HAProxy 2.6 and later)."),
        ("quic_stream_data_blocked", "QUIC STREAM_DATA_BLOCKED frames received (HAProxy 2.6 and later)."),
        ("quic_streams_blocked_bidi", "QUIC STREAMS_BLOCKED frames received for bidirectional streams (HAProxy 2.8 and later)."),
        ("quic_streams_blocked_uni", "QUIC STREAMS_BLOCKED frames received for unidirectional streams (HAProxy 2.8 and later)."),
        ("quic_ncbuf_gap_limit", "QUIC receive buffers that refused data because of its gaps (HAProxy 3.4 and later)."),
    ],
];
